import { TOPICS, decodeQuarantinePointer } from '@residency/contracts';
import type { LogRecord, Position, QuarantinePointer, Topic } from '@residency/contracts';
import type { ConsentHistory } from '@residency/consent';
import type { Instant } from '@residency/residency';
import { lookupDiffers } from './audit-lookup.ts';
import type { AuditQuery } from './auditing.ts';
import { GroupCommit } from './group-commit.ts';
import type { ReadLimits } from './reading.ts';
import { SqliteConsentView } from './sqlite-consent-view.ts';
import { SqlitePolicyView } from './sqlite-policy-view.ts';
import { SUBMISSION_LOG_DEFAULTS, SqliteSubmissionLog } from './sqlite-submission-log.ts';
import type { SubmissionLogOptions } from './sqlite-submission-log.ts';
import { WakeUp } from './wake-up.ts';
import { toBuffer, unpackRecord } from './wire.ts';
import type { AppendEntry } from './wire.ts';
import { WorkerClient } from './worker-client.ts';

export interface SqliteLogOptions {
  /** The database, made where it is missing; its folder must exist. */
  readonly file: string;
  /** The system's clock, milliseconds since the epoch. It may be set back; append times never go back with it. */
  readonly now: () => number;
  /** How long to wait for another process's transaction, milliseconds. Default 10 s. */
  readonly busyTimeoutMs?: number;
  /** Appends that go to the disk together, bytes. Default 16 MiB. */
  readonly groupBytes?: number;
  /** Pages of 4 KiB the database may grow to; beyond it is as full as a full disk. Default: as the disk allows. */
  readonly maxPages?: number;
}

/** What a publisher may know of a submission. A settled one shows its audit events, oldest first, whatever else waits. */
export type SubmissionStatus =
  | { readonly state: 'unknown' }
  | { readonly state: 'pending' }
  | { readonly state: 'settled'; readonly events: readonly Buffer[] };

export interface ReadFrom extends Partial<ReadLimits> {
  /** The first offset wanted; absent: the first there is. */
  readonly from?: bigint;
}

const PAGE: ReadLimits = { maxRecords: 500, maxBytes: 8 * 1024 * 1024 };

/** Opens the log, or rejects with what stands against it (`LOG_UNAVAILABLE`, `LOG_CORRUPT`, `LOG_SCHEMA_NEWER`). */
export async function openSqliteLog(options: SqliteLogOptions): Promise<SqliteLog> {
  const { file, busyTimeoutMs = 10_000, maxPages } = options;
  const worker = new WorkerClient({
    file,
    busyTimeoutMs,
    ...(maxPages === undefined ? {} : { maxPages }),
  });
  try {
    return new SqliteLog(await worker.call('name', []), worker, options);
  } catch (error) {
    await worker.close();
    throw error;
  }
}

/** The embedded log: all topics in one database, one partition each, one clock. Any number of processes may have it open. */
export class SqliteLog {
  /** The first part of positions; random, kept in the database. */
  readonly name: string;
  readonly #worker: WorkerClient;
  readonly #now: () => number;
  readonly #commits: GroupCommit;
  readonly #appended = new WakeUp();
  readonly #consents: SqliteConsentView;
  #closing: Promise<void> | undefined;

  constructor(
    name: string,
    worker: WorkerClient,
    { now, groupBytes = 16 * 1024 * 1024 }: Pick<SqliteLogOptions, 'now' | 'groupBytes'>,
  ) {
    this.name = name;
    this.#worker = worker;
    this.#now = now;
    this.#commits = new GroupCommit(worker, now, groupBytes);
    this.#consents = new SqliteConsentView(worker);
  }

  /** All entries or none; durable once it resolves. Throws `LOG_FULL` or `LOG_BUSY` (retry), then nothing was kept. */
  async append(entries: readonly AppendEntry[]): Promise<Position[]> {
    const appended = await this.#commits.append(entries);
    this.#appended.wake();
    return entries.map(({ topic }, index) => ({
      log: this.name,
      topic,
      partition: 0,
      offset: BigInt(appended[index]?.offset ?? 0),
    }));
  }

  /** A topic's records in order up to its end at the last look; held in memory a page at a time. */
  async *read(topic: Topic, { from = 0n, ...limits }: ReadFrom = {}): AsyncGenerator<LogRecord> {
    let next = Number(from);
    for (;;) {
      const page = await this.#worker.call('records', [topic, next, { ...PAGE, ...limits }]);
      const last = page.at(-1);
      if (last === undefined) return;
      for (const record of page) yield unpackRecord(topic, record);
      next = last.offset + 1;
    }
  }

  /** `undefined`: never appended to this log, or its retention is over. */
  async readAt({ log, topic, partition, offset }: Position): Promise<LogRecord | undefined> {
    const known = Object.values(TOPICS).find((name) => name === topic);
    if (
      log !== this.name ||
      known === undefined ||
      partition !== 0 ||
      offset > Number.MAX_SAFE_INTEGER
    )
      return undefined;
    const record = await this.#worker.call('record', [known, Number(offset)]);
    return record === undefined ? undefined : unpackRecord(known, record);
  }

  /** The offset the topic's next record will get. */
  async end(topic: Topic): Promise<bigint> {
    return BigInt((await this.#worker.call('extent', [topic])).next);
  }

  /** The last intake offset settled; `null`: none yet. */
  async committed(): Promise<bigint | null> {
    const { settled } = await this.#worker.call('extent', [TOPICS.samples]);
    return settled === null ? null : BigInt(settled);
  }

  submissionLog(options: Partial<SubmissionLogOptions> = {}): SqliteSubmissionLog {
    return new SqliteSubmissionLog(
      { log: this.name, worker: this.#worker, now: this.#now, appended: this.#appended },
      { ...SUBMISSION_LOG_DEFAULTS, ...options },
    );
  }

  consentView(): SqliteConsentView {
    return this.#consents;
  }

  policyView(): SqlitePolicyView {
    return new SqlitePolicyView(this.#worker);
  }

  /** Empty: no such consent was ever given. */
  async consentHistory(consentId: string): Promise<ConsentHistory> {
    return (await this.#consents.read([consentId])).histories.get(consentId) ?? [];
  }

  /** Audit events as they were settled, byte for byte, in order. */
  async *auditRecords(query: AuditQuery = {}): AsyncGenerator<Buffer> {
    let next = 0;
    for (;;) {
      const page = await this.#worker.call('audit', [query, next, PAGE.maxRecords]);
      const last = page.at(-1);
      if (last === undefined) return;
      for (const { value } of page) yield toBuffer(value);
      next = last.offset + 1;
    }
  }

  /** Where audit events stand that `auditRecords` and `findSubmission` would not find, or find as what they are not. */
  async *lookupDifferences(): AsyncGenerator<Position> {
    let next = 0;
    for (;;) {
      const page = await this.#worker.call('auditLookups', [next, PAGE.maxRecords]);
      const last = page.at(-1);
      if (last === undefined) return;
      for (const row of page) {
        if (lookupDiffers(row))
          yield { log: this.name, topic: TOPICS.audit, partition: 0, offset: BigInt(row.offset) };
      }
      next = last.offset + 1;
    }
  }

  async findSubmission(submission: string): Promise<SubmissionStatus> {
    const { events, pending } = await this.#worker.call('submission', [submission]);
    if (events.length > 0)
      return { state: 'settled', events: events.map((event) => toBuffer(event)) };
    return { state: pending ? 'pending' : 'unknown' };
  }

  async *quarantine(): AsyncGenerator<QuarantinePointer> {
    for await (const { value } of this.read(TOPICS.quarantine)) {
      if (value !== null) yield decodeQuarantinePointer(value);
    }
  }

  /**
   * Deletes intake records settled before `olderThan` (their audit event's append time) so that their bytes are gone from the disk's files, and
   * returns how many. Unsettled ones stay, however old. Throws `LOG_BUSY` where another process's reading holds the
   * last step up: call again.
   */
  async dropExpired(olderThan: Instant): Promise<number> {
    let dropped = 0;
    for (;;) {
      const portion = await this.#worker.call('dropExpired', [olderThan]);
      if (portion === 0) break;
      dropped += portion;
    }
    await this.#worker.call('erase', []);
    return dropped;
  }

  /** Finishes what is on its way; afterwards everything rejects with `LOG_CLOSED`. */
  async close(): Promise<void> {
    this.#closing ??= this.#finish();
    await this.#closing;
  }

  async #finish(): Promise<void> {
    await this.#commits.idle();
    await this.#worker.close();
  }
}
