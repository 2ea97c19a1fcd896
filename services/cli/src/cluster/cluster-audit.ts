import type { KafkaLog } from '@residency/adapter-kafka';
import { decodeKafka } from '@residency/cloudevents';
import { TOPICS, decodeAuditEvent, submissionId } from '@residency/contracts';
import type { AuditEvent, LogRecord } from '@residency/contracts';
import { defined } from '@residency/defined';
import type { Instant } from '@residency/residency';
import type { PassedOver } from '../system/passed-over.ts';
import { checkInterrupted } from '../terminal/session.ts';
import type { Session } from '../terminal/session.ts';
import type { AuditQuery, OnProgress, SubmissionStatus } from '../system/system.ts';

/**
 * The greatest difference between the clocks that stamp a record and its audit event, milliseconds.
 */
const CLOCKS_MS = 60_000;

interface Asked {
  readonly query: AuditQuery;
  readonly passedOver: PassedOver;
  readonly onProgress?: OnProgress;
}

/** The matching audit events, read from the earliest possible one: Kafka has no index but time. */
export async function* auditRecords(
  session: Session,
  log: KafkaLog,
  { query, passedOver, onProgress = () => undefined }: Asked,
): AsyncGenerator<Buffer> {
  const { from } = query;
  const total = from === undefined ? await extentOf(log) : undefined;
  let read = 0;
  for await (const record of auditLog(session, log, from)) {
    read += 1;
    if (read % 256 === 0) onProgress(read, total);
    const event = passedOver.read(record, decodeAuditEvent);
    if (event !== undefined && record.value !== null && fits(event, query)) yield record.value;
  }
}

/** The audit log's records from the earliest possible match: Kafka has no index but time. */
export async function* auditLog(
  session: Session,
  log: KafkaLog,
  from: Instant | undefined,
): AsyncGenerator<LogRecord> {
  yield* log.read(TOPICS.audit, {
    until: 'end',
    signal: session.signal,
    ...(from === undefined ? {} : { from: { at: Math.max(0, from - CLOCKS_MS) } }),
  });
  // An aborted read ends like a complete one.
  checkInterrupted(session);
}

function fits({ at, outcome, data }: AuditEvent, query: AuditQuery): boolean {
  if (query.from !== undefined && at < query.from) return false;
  if (query.to !== undefined && at >= query.to) return false;
  if (query.submission !== undefined && data.submission !== query.submission) return false;
  if (query.outcome !== undefined && outcome !== query.outcome) return false;
  return (
    query.region === undefined || ('decision' in data && data.decision?.region === query.region)
  );
}

/** The number of offsets of the audit log, markers included. */
async function extentOf(log: KafkaLog): Promise<number> {
  const starts = await log.starts(TOPICS.audit);
  return [...(await log.ends(TOPICS.audit))].reduce(
    (sum, [partition, end]) => sum + Number(end - (starts.get(partition) ?? 0n)),
    0,
  );
}

/**
 * A submission's partition follows from its consent, which the id does not contain. So every
 * partition is read.
 */
export async function findSubmission(
  session: Session,
  log: KafkaLog,
  submission: string,
  options: {
    readonly from?: Instant;
    readonly onProgress?: OnProgress;
    readonly passedOver: PassedOver;
  },
): Promise<SubmissionStatus> {
  const { from, onProgress, passedOver } = options;
  const events: Buffer[] = [];
  for await (const event of auditRecords(session, log, {
    query: { submission, ...defined({ from }) },
    passedOver,
    ...defined({ onProgress }),
  }))
    events.push(event);
  if (events.length > 0) return { state: 'settled', events };
  for await (const record of waiting(session, log))
    if (submissionOf(record) === submission) return { state: 'pending' };
  return { state: 'unknown' };
}

/** Intake records that are not settled and that the log still holds. */
export async function* waiting(session: Session, log: KafkaLog): AsyncGenerator<LogRecord> {
  const from = new Map(
    (await log.progress()).map(({ partition, start, next }) => [
      partition,
      next > start ? next : start,
    ]),
  );
  yield* log.read(TOPICS.samples, { from, until: 'end', signal: session.signal });
  checkInterrupted(session);
}

function submissionOf(record: LogRecord): string | undefined {
  try {
    return submissionId(decodeKafka(record));
  } catch {
    return undefined;
  }
}
