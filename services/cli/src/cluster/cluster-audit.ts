import type { KafkaLog } from '@residency/adapter-kafka';
import { decodeKafka } from '@residency/cloudevents';
import { TOPICS, decodeAuditEvent, submissionId } from '@residency/contracts';
import type { AuditEvent, LogRecord } from '@residency/contracts';
import type { Instant } from '@residency/residency';
import { checkInterrupted } from '../session.ts';
import type { Session } from '../session.ts';
import type { AuditQuery, OnProgress, SubmissionStatus } from '../system.ts';

/** An audit event is appended after the record it is about, by clocks that agree within this, milliseconds. */
const CLOCKS_MS = 60_000;

/** Audit events that fit, read from where the first of them can stand: Kafka has no index but time. */
export async function* auditRecords(
  session: Session,
  log: KafkaLog,
  query: AuditQuery,
  onProgress: OnProgress = () => undefined,
): AsyncGenerator<Buffer> {
  const { from } = query;
  const total = from === undefined ? await extentOf(log) : undefined;
  let read = 0;
  for await (const { value } of auditLog(session, log, from)) {
    read += 1;
    if (read % 256 === 0) onProgress(read, total);
    if (value !== null && (Object.keys(query).length === 0 || fits(decodeAuditEvent(value), query)))
      yield value;
  }
}

/** The audit log's records from where the first that matters can stand: Kafka has no index but time. */
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
  // An aborted reading ends as one that is whole does.
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

/** Offsets of the audit log, markers of transactions among them. */
async function extentOf(log: KafkaLog): Promise<number> {
  const starts = await log.starts(TOPICS.audit);
  return [...(await log.ends(TOPICS.audit))].reduce(
    (sum, [partition, end]) => sum + Number(end - (starts.get(partition) ?? 0n)),
    0,
  );
}

/** The partition of a submission follows from its consent, which an id does not tell: every partition is read. */
export async function findSubmission(
  session: Session,
  log: KafkaLog,
  submission: string,
  options: { readonly from?: Instant; readonly onProgress?: OnProgress },
): Promise<SubmissionStatus> {
  const { from, onProgress } = options;
  const events: Buffer[] = [];
  for await (const event of auditRecords(
    session,
    log,
    { submission, ...(from === undefined ? {} : { from }) },
    onProgress,
  ))
    events.push(event);
  if (events.length > 0) return { state: 'settled', events };
  for await (const record of waiting(session, log))
    if (submissionOf(record) === submission) return { state: 'pending' };
  return { state: 'unknown' };
}

/** Intake records that are not settled, as far as they are left. */
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
