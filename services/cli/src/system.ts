import type { KeyDirectory } from '@residency/adapter-filesystem';
import type { ConsentHistory } from '@residency/consent';
import type {
  LogEntry,
  LogRecord,
  Outcome,
  Position,
  QuarantinePointer,
} from '@residency/contracts';
import type { AuditTrail, SiteReader } from '@residency/reconciliation';
import type { Instant, PolicyDocument, PolicyPublished } from '@residency/residency';
import type { ControlView } from '@residency/routing';
import type { Ledgers } from './ledgers.ts';

/** Which audit events; what is absent does not restrict. `[from, to)` in the T of the records they are about. */
export interface AuditQuery {
  readonly from?: Instant;
  readonly to?: Instant;
  readonly submission?: string;
  readonly outcome?: Outcome;
  readonly region?: string;
}

export type SubmissionStatus =
  | { readonly state: 'unknown' }
  | { readonly state: 'pending' }
  | { readonly state: 'settled'; readonly events: readonly Buffer[] };

/** Sites as they are compared with the audit log. */
export interface ComparedSites {
  /** Each verified to be the site it is taken for. What stands where nobody's work may stand is listed as foreign. */
  readonly readers: readonly SiteReader[];
  /** What stands where sites stand, and is none of a policy. */
  readonly foreign: readonly string[];
}

/** For how far something is; `total` where it is known. */
export type OnProgress = (done: number, total?: number) => void;

/**
 * What commands ask of a system: a data directory of one machine, or a cluster. Both open what a command needs when it
 * asks for it. Errors are coded; `retry` where something can not be reached.
 */
export interface System {
  /** Batches worth having on their way at a time. */
  readonly concurrency: number;
  /** Durable once it resolves. A data directory appends all or none; a cluster in order, all of one topic's partition or none. */
  append(entries: readonly LogEntry[]): Promise<readonly Position[]>;
  /** Every published version, valid or not, in log order. */
  policies(): Promise<readonly PolicyPublished[]>;
  /** Makes what a version's regions need before it is published, or says what is missing. */
  prepare(document: PolicyDocument): Promise<void>;
  /** Regions that may have keys. */
  regions(): Promise<readonly string[]>;
  /** Audit events as they were settled, byte for byte; each partition's in order. */
  auditRecords(query?: AuditQuery): AsyncIterable<Buffer>;
  /** The audit log itself, not what helps to look things up in it; each partition's records in order. Events about records before `from` may be left out. */
  auditLog(options?: { readonly from?: Instant }): AsyncIterable<LogRecord>;
  /** `threat.consents` from its start, not a view of it. */
  consentLog(): AsyncIterable<LogRecord>;
  /** `residency.control` from its start. */
  controlLog(): AsyncIterable<LogRecord>;
  /** What people left the system in, for whoever asks again and again. What was appended before is in it; it throws `retry` where it can not be told now. */
  controlView(): Promise<ControlView>;
  /** `from`: nothing before it is looked at. */
  findSubmission(
    submission: string,
    options?: { readonly from?: Instant; readonly onProgress?: OnProgress },
  ): Promise<SubmissionStatus>;
  /** Empty: no such consent was ever given. */
  consentHistory(consentId: string): Promise<ConsentHistory>;
  quarantine(): AsyncIterable<QuarantinePointer>;
  /** `undefined`: never appended to this log, or its retention is over. */
  recordAt(position: Position): Promise<LogRecord | undefined>;
  /** How many records of the intake log are not settled, by partition. */
  unsettled(): Promise<ReadonlyMap<number, bigint>>;
  /** Intake records that are not settled yet. */
  waiting(): AsyncIterable<LogRecord>;
  keys(): KeyDirectory;
  /** Throws `CONFIGURATION_INVALID` where the settings of a cluster name no ledger. */
  ledgers(): Promise<Ledgers>;
  /** A site's objects, without verifying whose site it is. */
  siteReader(site: string): SiteReader;
  comparedSites(named: ReadonlyMap<string, ReadonlySet<string>>): Promise<ComparedSites>;
  trail(): AuditTrail;
  close(): Promise<void>;
}
