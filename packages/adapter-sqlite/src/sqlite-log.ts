import { TOPICS, custodyTopic } from '@residency/contracts/log-record';
import type { LogEntry, LogRecord, Position, QuarantinePointer, Topic } from '@residency/contracts';
import type { AuditRestorer, CustodyRestorer, LogReading } from '@residency/auditing';
import type { AuditFeed, CustodyLog, CustodyReading } from '@residency/custodianship';
import type { ConsentHistory } from '@residency/consent';
import { defined } from '@residency/defined';
import type { Instant } from '@residency/residency';
import { Condition } from '@residency/waiting/condition';
import type { AuditQuery } from './auditing.ts';
import { WallClock, clockAhead, clockBehind, judgeClock } from './clock.ts';
import type { ClockState } from './clock.ts';
import { custodyBatches, custodyRecords } from './custody-records.ts';
import { GroupCommit } from './group-commit.ts';
import type { ReadFrom } from './read-topic.ts';
import type { ReadLimits } from './reading.ts';
import { SqliteAuditFeed } from './sqlite-audit-feed.ts';
import { SqliteSettledOutcomes } from './sqlite-settled-outcomes.ts';
import { SqliteConsentView } from './sqlite-consent-view.ts';
import type { SqliteLogError } from './sqlite-log-error.ts';
import { SqlitePolicyView } from './sqlite-policy-view.ts';
import { SUBMISSION_LOG_DEFAULTS, SqliteSubmissionLog } from './sqlite-submission-log.ts';
import type { SubmissionLogOptions } from './sqlite-submission-log.ts';
import { packEntries, toBuffer, unpackRecord } from './wire.ts';
import { unpackError } from './wire-error.ts';
import { WorkerClient } from './worker-client.ts';

export interface SqliteLogOptions {
  /** The database. It is created if missing; its folder must exist. */
  readonly file: string;
  /**
   * The system's clock, milliseconds since the epoch. Append times never decrease, even if it is
   * set back.
   */
  readonly now: () => number;
  /**
   * Milliseconds of a clock that is never set and that runs while the machine sleeps. With it,
   * appends are refused after a large step of the wall clock.
   */
  readonly elapsed?: () => number;
  /** How long to wait for another process's transaction, milliseconds. Default 10 s. */
  readonly busyTimeoutMs?: number;
  /** The most bytes of appends that share a transaction. Default 16 MiB. */
  readonly groupBytes?: number;
  /**
   * The most pages of 4 KiB of the database. Beyond that it behaves as on a full disk. Default: no
   * limit.
   */
  readonly maxPages?: number;
}

/**
 * The state of a submission that its publisher may see. A settled one shows its audit events,
 * oldest first, even if another record of it waits.
 */
export type SubmissionStatus =
  | { readonly state: 'unknown' }
  | { readonly state: 'pending' }
  | { readonly state: 'settled'; readonly events: readonly Buffer[] };

const PAGE: ReadLimits = { maxRecords: 500, maxBytes: 8 * 1024 * 1024 };

/** A log's last append time (0: none) and the clock beside it. */
export interface LogClock {
  readonly state: ClockState;
  /** `CLOCK_AHEAD` or `CLOCK_BEHIND`, if the clock is wrong. */
  readonly error?: SqliteLogError;
  readonly now: number;
  readonly lastAt: number;
}

/** Opens the log. Rejects with `LOG_UNAVAILABLE`, `LOG_CORRUPT` or `LOG_SCHEMA_NEWER`. */
export async function openSqliteLog(options: SqliteLogOptions): Promise<SqliteLog> {
  const { file, busyTimeoutMs = 10_000, maxPages } = options;
  const worker = new WorkerClient({
    file,
    busyTimeoutMs,
    ...defined({ maxPages }),
  });
  try {
    const clock = new WallClock(options.now, options.elapsed);
    const found = clock.read();
    if (judgeClock(found, await worker.call('lastAt', [])) === 'right') clock.trust(found);
    return new SqliteLog(await worker.call('name', []), worker, { ...options, clock });
  } catch (error) {
    await worker.close();
    throw error;
  }
}

/**
 * The embedded log: all topics in one database, with one partition each and one clock. Any number
 * of processes may have it open.
 */
export class SqliteLog {
  /** The first part of positions. It is random and kept in the database. */
  readonly name: string;
  readonly #worker: WorkerClient;
  /** For `dropErased`, by topic: the offset of its next record when it was last followed. */
  readonly #followedTo = new Map<Topic, number>();
  readonly #clock: WallClock;
  readonly #commits: GroupCommit;
  readonly #appended = new Condition();
  readonly #consents: SqliteConsentView;
  #closing: Promise<void> | undefined;

  constructor(
    name: string,
    worker: WorkerClient,
    {
      clock,
      groupBytes = 16 * 1024 * 1024,
    }: Pick<SqliteLogOptions, 'groupBytes'> & { readonly clock: WallClock },
  ) {
    this.name = name;
    this.#worker = worker;
    this.#clock = clock;
    this.#commits = new GroupCommit(worker, clock, groupBytes);
    this.#consents = new SqliteConsentView(worker);
  }

  /**
   * Appends all entries or none; durable once it resolves. Throws `LOG_FULL` or `LOG_BUSY` (retry)
   * and then appends nothing.
   */
  async append(entries: readonly LogEntry[]): Promise<Position[]> {
    const appended = await this.#commits.append(entries);
    this.#appended.notify();
    return entries.map(({ topic }, index) => ({
      log: this.name,
      topic,
      partition: 0,
      offset: BigInt(appended[index]?.offset ?? 0),
    }));
  }

  /**
   * A topic's records in order. Holds one page in memory. A custody log without an owner so far has
   * none.
   */
  async *read(
    topic: Topic,
    { from = 0n, until, ...limits }: ReadFrom = {},
  ): AsyncGenerator<LogRecord> {
    let next = Number(from);
    const end = until === 'end' ? Number(await this.end(topic)) : Infinity;
    while (next < end) {
      const page = await this.#worker.call('records', [topic, next, { ...PAGE, ...limits }]);
      const last = page.at(-1);
      if (last === undefined) return;
      for (const record of page) if (record.offset < end) yield unpackRecord(topic, record);
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

  /** The last settled intake offset; `null`: none yet. */
  async committed(): Promise<bigint | null> {
    const { settled } = await this.#worker.call('extent', [TOPICS.samples]);
    return settled === null ? null : BigInt(settled);
  }

  submissionLog(options: Partial<SubmissionLogOptions> = {}): SqliteSubmissionLog {
    return new SqliteSubmissionLog(
      { log: this.name, worker: this.#worker, clock: this.#clock, appended: this.#appended },
      { ...SUBMISSION_LOG_DEFAULTS, ...options },
    );
  }

  /**
   * To compare the audit log with its ledger, and to append the entries that it lost. Hold the
   * routing lock to append.
   */
  async auditRestorer(): Promise<AuditRestorer> {
    const { SqliteAuditRestorer } = await import('./sqlite-audit-restorer.ts');
    return new SqliteAuditRestorer({
      log: this.name,
      worker: this.#worker,
      clock: this.#clock,
      read: (topic, from) => this.read(topic, from),
    });
  }

  /**
   * Opens a region's custody log and takes the right to append from its earlier owner. Hold the
   * routing lock. Throws `LOG_FULL` or `LOG_BUSY` (retry).
   */
  async custodyLog(region: string): Promise<CustodyLog & CustodyRestorer> {
    const { SqliteCustodyLog } = await import('./sqlite-custody-log.ts');
    return await SqliteCustodyLog.open(
      {
        log: this.name,
        worker: this.#worker,
        clock: this.#clock,
        read: (topic, from) => this.read(topic, from),
      },
      region,
    );
  }

  /** A region's custody log, for a comparison with its ledger. Takes no right. */
  custodyReading(region: string): LogReading {
    const topic = custodyTopic(region);
    return {
      log: this.name,
      of: { topic, partition: 0 },
      records: () => custodyBatches((name, from) => this.read(name, from), topic),
    };
  }

  /** A region's custody log. Takes no right. */
  custodyRecords(region: string): CustodyReading {
    const topic = custodyTopic(region);
    return {
      log: this.name,
      region,
      read: (from) => custodyRecords((name, limits) => this.read(name, limits), topic, from),
    };
  }

  auditFeed(): AuditFeed {
    return new SqliteAuditFeed((topic, from) => this.read(topic, from));
  }

  consentView(): SqliteConsentView {
    return this.#consents;
  }

  policyView(): SqlitePolicyView {
    return new SqlitePolicyView(this.#worker);
  }

  settledOutcomes(): SqliteSettledOutcomes {
    return new SqliteSettledOutcomes(this.name, this.#worker);
  }

  /** Empty: this consent was never given. */
  async consentHistory(consentId: string): Promise<ConsentHistory> {
    return (await this.#consents.read([consentId])).histories.get(consentId) ?? [];
  }

  /** The settled audit events, byte for byte, in order. */
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

  /**
   * The positions of audit events that `auditRecords` and `findSubmission` would miss or misread.
   */
  async *lookupDifferences(): AsyncGenerator<Position> {
    const { lookupDiffers } = await import('./lookup-differs.ts');
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
    const { decodeQuarantinePointer } = await import('@residency/contracts');
    for await (const { value } of this.read(TOPICS.quarantine)) {
      if (value !== null) yield decodeQuarantinePointer(value);
    }
  }

  /**
   * Deletes intake records settled before `olderThan` (by the wall clock), so that their bytes are
   * gone from the disk's files. Returns their number. Unsettled records stay, however old. Throws
   * `CLOCK_AHEAD` and deletes nothing if the clock is ahead. Throws `LOG_BUSY` if another process's
   * reading prevents the last step: call again.
   */
  async dropExpired(olderThan: Instant): Promise<number> {
    await this.#worker.call('beginRetention', [this.#clock.read()]);
    let dropped = 0;
    for (;;) {
      const portion = await this.#worker.call('dropExpired', [olderThan]);
      if (portion === 0) break;
      dropped += portion;
    }
    await this.#worker.call('erase', []);
    return dropped;
  }

  /**
   * Deletes the intake records of the samples that the custody logs say are erased, so that their
   * bytes are gone from the disk's files: the stored ones, and those that were sent again, also after
   * the erasure, once they are settled. Returns their number. A call looks only at what is new since
   * the last one, by any process. Hold the routing lock. Throws `LOG_BUSY` if another process's
   * reading prevents the last step: call again.
   */
  async dropErased(): Promise<number> {
    let dropped = 0;
    for (const { name, end } of await this.#worker.call('topicsToFollow', [])) {
      // Records without an erasure are not written down as followed, and would be read each time.
      if (this.#followedTo.get(name) === end) continue;
      let more = true;
      while (more) {
        const portion = await this.#worker.call('dropErased', [name]);
        dropped += portion.dropped;
        ({ more } = portion);
      }
      this.#followedTo.set(name, end);
    }
    await this.#worker.call('eraseDropped', []);
    return dropped;
  }

  /**
   * Deletes the links of these consents to a subject, so that their bytes are gone from the disk's
   * files. Returns their number. Throws `LOG_BUSY` (retry) as `dropExpired`.
   */
  async dropLinks(consentIds: readonly string[]): Promise<number> {
    const dropped = await this.#worker.call('dropLinks', [consentIds]);
    await this.#worker.call('erase', []);
    return dropped;
  }

  /** The log's time and clock, and whether the clock lets it accept appends now. */
  async clock(): Promise<LogClock> {
    const reading = this.#clock.read();
    const lastAt = await this.#worker.call('lastAt', []);
    const state = judgeClock(reading, lastAt);
    const found = { state, now: reading.now, lastAt };
    if (state === 'right') return found;
    return {
      ...found,
      error: state === 'ahead' ? clockAhead(reading, lastAt) : clockBehind(reading, lastAt),
    };
  }

  /**
   * A person confirmed that this machine's clock is right although it is far ahead of the log. It
   * is used from the next append on. `entry` records that in the log.
   */
  async acceptClock(entry: LogEntry): Promise<void> {
    const { packed, buffer } = packEntries([entry]);
    const { now } = this.#clock.read();
    const [result] = await this.#worker.call('append', [[packed], { now }], [buffer]);
    if (result !== undefined && 'error' in result) throw unpackError(result.error);
    this.#clock.trust({ now });
  }

  /** Finishes appends in progress. Later calls reject with `LOG_CLOSED`. */
  async close(): Promise<void> {
    this.#closing ??= this.#finish();
    await this.#closing;
  }

  async #finish(): Promise<void> {
    await this.#commits.idle();
    await this.#worker.close();
  }
}
