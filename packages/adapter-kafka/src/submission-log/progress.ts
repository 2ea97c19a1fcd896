import type { TopicIds } from '../identity/topic-ids.ts';
import { KafkaLogError } from '../kafka-log-error.ts';

/** The progress of one partition. */
export interface Progress {
  /** The offset settled last; `null`: none yet. */
  readonly settled: bigint | null;
  /** The first offset to hand over. */
  readonly next: bigint;
  /** The committed position, if it differs from `next`. */
  readonly differing?: bigint;
  /** The topics' ids at the take-over. Absent: the brokers do not support topic ids. */
  readonly ids?: TopicIds;
}

/** The cluster's state of a partition, read after the fence. */
export interface Evidence {
  readonly partition: number;
  /** The group's committed position: the offset after the last one settled. */
  readonly committed: bigint | undefined;
  readonly audit: AuditTail;
  /** Events behind the last one whose transaction was aborted. Read if the position is ahead. */
  readonly aborted: readonly AbortedEvent[];
  /** The intake log's first offset, and the one after its last. */
  readonly start: bigint;
  readonly end: bigint;
}

/** An event that readers of the audit log never see. */
export interface AbortedEvent {
  /** The offset of the intake record that it is about. */
  readonly about: bigint;
  readonly previous: bigint | null;
}

/** The end of the audit partition of the same number. */
export interface AuditTail {
  /** The intake offset of its last event; `null`: it holds none. */
  readonly last: bigint | null;
  /** The offset in the audit log behind its last event, or the first one. */
  readonly behind: bigint;
  /**
   * True if events were removed from its beginning. Then a missing event may have been among them.
   */
  readonly trimmed: boolean;
  /** The topics' ids at its settlement; absent: the event has none. */
  readonly ids?: TopicIds;
  /** The last event itself. */
  readonly event?: Buffer;
}

/**
 * True if the committed position is ahead of the audit log. Then the aborted events are needed too.
 */
export function isAhead(
  committed: bigint | undefined,
  { last, trimmed }: Pick<AuditTail, 'last' | 'trimmed'>,
): boolean {
  if (committed === undefined) return false;
  return last === null ? !trimmed : committed > last + 1n;
}

/**
 * The audit log decides, because promise 1 of DESIGN §2 is about it: processing continues after the
 * record of its last event, whatever position is committed. Event and position become visible in
 * one transaction. They differ only if somebody set the position by hand, or if a broker was killed
 * while it ended a transaction and forgot it in one partition (seen with Kafka 4.4.0).
 *
 * A position that lags is ignored, because following it would repeat events. A position that is
 * ahead is ignored if the events up to it are in the audit log as aborted: the broker forgot to
 * commit them, and a later abort of the same producer ended them. Otherwise the audit log may have
 * lost its end. Only a person can find out.
 */
export function progressOf(evidence: Evidence): Progress {
  const { partition, committed, audit, start, end } = evidence;
  if (audit.last === null && audit.trimmed && committed === undefined) throw forgotten(partition);
  const next = audit.last !== null ? audit.last + 1n : audit.trimmed ? (committed ?? start) : start;
  const none = audit.last === null && !audit.trimmed;
  if (committed !== undefined && isAhead(committed, audit) && !isExplained(committed, evidence))
    throw progressDiffers(partition, committed, audit);
  if (next < start || next > end) throw progressLost(evidence, next);
  const differing = committed === undefined || committed === next ? {} : { differing: committed };
  return { settled: none ? null : next - 1n, next, ...differing };
}

/** Follows `previous` from the last event through the aborted ones up to the committed position. */
function isExplained(committed: bigint, { audit, aborted }: Evidence): boolean {
  const after = new Map(aborted.map(({ about, previous }) => [previous, about]));
  let last: bigint | null = audit.last;
  for (let next = after.get(last); next !== undefined; next = after.get(last)) {
    if (last !== null && next <= last) return false;
    last = next;
    if (last + 1n === committed) return true;
  }
  return false;
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
