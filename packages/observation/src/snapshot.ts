import type { ControlState, Topic } from '@residency/contracts';
import { policyInForce } from '@residency/residency';
import type { Instant, PolicyDocument, PolicyPublished } from '@residency/residency';
import type { AppendTimeLead } from './broker-clocks.ts';
import type { IntakeProgress, TopicIdentity, Undecided } from './ports/intake-log.ts';

/** A fact, or why it is not known. */
export type Observed<T> = { readonly known: T } | { readonly unknown: Reason };

/** Of the error that kept a fact from being read. */
export interface Reason {
  readonly code: string;
  /** What was expected and found; what to do. */
  readonly message: string;
}

/**
 * The facts about a system at one moment, each judged as of when it was read. Absent: the system has no such thing, or nobody asked.
 * Everything here was read from the logs and views themselves, whichever services run or do not;
 * `services`, `copies` and `erasures` are what services say.
 */
export interface Snapshot {
  readonly control?: Observed<ControlState>;
  readonly topics?: Observed<readonly TopicIdentity[]>;
  readonly intake?: Observed<IntakeFacts>;
  readonly appendTimes?: Observed<readonly AppendTimeLead[]>;
  /** Of a data directory. */
  readonly clock?: Observed<ClockFacts>;
  readonly consents?: Observed<ViewFacts>;
  readonly policy?: Observed<PolicyFacts>;
  readonly ledgers?: Observed<readonly LedgerFacts[]>;
  readonly services?: readonly ServiceFacts[];
  /** As the custodians that were asked say it; absent: none was asked. */
  readonly copies?: readonly CopyFacts[];
  /** The same. */
  readonly erasures?: readonly ErasureFacts[];
}

/** Samples of a region that are ordered to be erased and are not. */
export interface ErasureFacts {
  readonly region: string;
  /** Without those on hold. */
  readonly waiting: number;
  /** Since the append of the oldest order that is not carried out, milliseconds; 0: there is none. */
  readonly forMs: number;
}

/** The copies of stored samples that a site lacks. */
export interface CopyFacts {
  readonly site: string;
  readonly owed: number;
  /** Since the append of the oldest record whose copy it lacks, milliseconds; 0: it lacks none. */
  readonly forMs: number;
}

export interface IntakeFacts {
  /** When they were read. */
  readonly at: Instant;
  readonly partitions: readonly PartitionFacts[];
  /** Open transactions of every topic that a service reads. */
  readonly transactions: readonly OpenTransaction[];
}

export interface PartitionFacts extends IntakeProgress {
  /** `next`; the end, if only markers and aborted records follow, which nobody ever settles. */
  readonly settledUpTo: bigint;
  /** Append time of the first record that is not settled; absent: none, or not known. */
  readonly oldestAt?: Instant;
  /** Its position; absent: not known. */
  readonly oldest?: string;
}

export interface OpenTransaction extends Undecided {
  readonly topic: Topic;
}

/** This machine's clock beside the last append of a data directory's log (docs/decisions/0023). */
export interface ClockFacts {
  readonly state: 'right' | 'ahead' | 'behind';
  /** 0: nothing was appended yet. */
  readonly lastAt: Instant;
  /** Why nothing is appended meanwhile. */
  readonly error?: Reason;
}

export interface ViewFacts {
  /** When it was read. */
  readonly at: Instant;
  /** Everything that was appended before is in the view. */
  readonly watermark: Instant;
  /** Append time went back, so the view takes nothing more. */
  readonly halted: boolean;
}

export interface PolicyFacts {
  /** When it was read. */
  readonly at: Instant;
  /** Absent: of a data directory, whose view is never behind. */
  readonly watermark?: Instant;
  /** Every version, valid or not, in the order of the log. */
  readonly versions: readonly PolicyPublished[];
}

/** What a ledger says, and what the logs say of it. */
export interface LedgerFacts {
  /** The topic that it is over; absent: the audit log. */
  readonly topic?: string;
  readonly partition: number;
  /** Of the checkpoint; absent: there is none. */
  readonly size?: number;
  /** Its signature. */
  readonly verified: boolean;
  /**
   * The intake offset that its last event is about; of a custody log, that event's number. Absent: it
   * has none.
   */
  readonly last?: bigint;
  /**
   * As `last`, of an event that the log has had for so long; absent: it has no event of that age.
   */
  readonly due?: { readonly offset: bigint; readonly forMs: number };
  /**
   * The value of `last` that no event has yet: of the intake log, read after the checkpoint. Absent:
   * unknown.
   */
  readonly intakeEnd?: bigint;
}

export interface ServiceFacts {
  /** Host and port. */
  readonly host: string;
  readonly readiness: Observed<Readiness>;
}

/** What a service says of itself on `/readyz`. */
export interface Readiness {
  readonly ready: boolean;
  /** Checks that do not pass; empty if it is ready. */
  readonly failed: readonly { readonly name: string; readonly detail: string }[];
}

/** The document in force when the facts were read; `undefined`: none. */
export function inForceIn({
  at,
  versions,
}: Pick<PolicyFacts, 'at' | 'versions'>): PolicyDocument | undefined {
  return policyInForce(versions, at)?.document;
}

export function knownOf<T>(fact: Observed<T> | undefined): T | undefined {
  return fact !== undefined && 'known' in fact ? fact.known : undefined;
}

/** How many offsets of a partition are not settled. */
export function unsettledIn({
  end,
  settledUpTo,
}: Pick<PartitionFacts, 'end' | 'settledUpTo'>): bigint {
  return end > settledUpTo ? end - settledUpTo : 0n;
}
