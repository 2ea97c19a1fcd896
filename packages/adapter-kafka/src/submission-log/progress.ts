import { KafkaLogError } from '../kafka-log-error.ts';

/** Where a partition stands. */
export interface Progress {
  /** The offset settled last; `null`: none yet. */
  readonly settled: bigint | null;
  /** The first offset to hand over. */
  readonly next: bigint;
  /** The committed position, where it is not `next`. */
  readonly differing?: bigint;
}

/** What the cluster says of a partition, all read after the fence. */
export interface Evidence {
  readonly partition: number;
  /** The group's committed position: the offset after the last one settled. */
  readonly committed: bigint | undefined;
  readonly audit: AuditTail;
  /** Whether what an earlier owner left undecided in the audit partition was aborted just now. */
  readonly swept: boolean;
  /** The intake log's first offset, and the one after its last. */
  readonly start: bigint;
  readonly end: bigint;
}

/** The end of the audit partition of the same number. */
export interface AuditTail {
  /** The intake offset its last event is about; `null` where it holds none. */
  readonly last: bigint | null;
  /** Whether events were removed from its beginning: then one that is not there may have been. */
  readonly trimmed: boolean;
}

/**
 * The audit log is what counts, because it is what promise 1 of DESIGN §2 is about: after its last event comes the next one, whatever is
 * committed. The two become visible in one transaction and agree unless somebody set the position by hand, or a broker that was killed while
 * it ended a transaction did so in one partition and forgot the other (seen with Kafka 4.4.0). A position that lags is passed over: following
 * it would repeat events. One that is ahead, where nothing undecided was found that explains it, may mean that the audit log lost its end:
 * only a person can know.
 */
export function progressOf(evidence: Evidence): Progress {
  const { partition, committed, audit, start, end } = evidence;
  if (audit.last === null && audit.trimmed && committed === undefined) throw forgotten(partition);
  const next = audit.last !== null ? audit.last + 1n : audit.trimmed ? (committed ?? start) : start;
  const none = audit.last === null && !audit.trimmed;
  if (committed !== undefined && !evidence.swept && (none || committed > next))
    throw progressDiffers(partition, committed, audit);
  if (next < start || next > end) throw progressLost(evidence, next);
  const differing = committed === undefined || committed === next ? {} : { differing: committed };
  return { settled: none ? null : next - 1n, next, ...differing };
}

function progressLost({ partition, start, end }: Evidence, next: bigint): KafkaLogError {
  return new KafkaLogError({
    code: 'PROGRESS_LOST',
    remedy: 'stop',
    message: `Expected the intake log to hold offset ${next} of partition ${partition}, the first one not settled, found it from ${start} to ${end}: records that were never settled are gone, or it is another log. Stop and find out which; nothing is skipped.`,
  });
}

function progressDiffers(partition: number, committed: bigint, { last }: AuditTail): KafkaLogError {
  return new KafkaLogError({
    code: 'PROGRESS_DIFFERS',
    remedy: 'stop',
    message: `Expected the router group's committed position of partition ${partition} to follow the last audit event, found ${committed} committed and ${last === null ? 'no audit event' : `the last event about offset ${last}`}. Either the position was set by hand, or the audit log lost its end: compare it with the auditor's ledger. If the audit log is whole, delete the group's offsets while no router runs, and it goes on from the audit log.`,
  });
}

function forgotten(partition: number): KafkaLogError {
  return new KafkaLogError({
    code: 'PROGRESS_LOST',
    remedy: 'stop',
    message: `Expected a committed position or an audit event of partition ${partition}, found that audit events were removed and no position is committed. Find out from the auditor's ledger up to where it was settled, and set the group's offset to the one after it while no router runs.`,
  });
}
