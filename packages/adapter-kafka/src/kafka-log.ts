import type { LogReading } from '@residency/auditing';
import { TOPICS, consentTick, custodyTopic, policyTick } from '@residency/contracts';
import type { ControlState, LogEntry, LogRecord, Position, Topic } from '@residency/contracts';
import type { CustodyReading, CustodyRecord } from '@residency/custodianship';
import { defined } from '@residency/defined';
import { atMost } from '@residency/waiting';
import type { IntakeProgress, LogAhead, Undecided } from '@residency/observation';
import type { Kafka } from 'kafkajs';
import { Appender } from './appending/appender.ts';
import { custodyRecords } from './custody-log/custody-records.ts';
import { custodianOptions } from './custody-log/custodian-options.ts';
import type { KafkaCustodianOptions } from './custody-log/custodian-options.ts';
import { KafkaCustodian } from './custody-log/kafka-custodian.ts';
import { KafkaCustodyLog } from './custody-log/kafka-custody-log.ts';
import type { CustodyOwner } from './custody-log/kafka-custody-log.ts';
import { requireCustodyTopic } from './custody-log/require-topic.ts';
import type { KafkaDiagnostics } from './diagnostics.ts';
import type { FollowingDeps } from './following.ts';
import { createKafka } from './kafka-client.ts';
import { intakeProgress, unsettledOf } from './intake-progress.ts';
import { LogIdentity } from './identity/log-identity.ts';
import type { TopicIdentity } from './identity/log-identity.ts';
import { KafkaLogError } from './kafka-log-error.ts';
import { KafkaAuditFeed } from './kafka-audit-feed.ts';
import { KafkaControlView } from './kafka-control-view.ts';
import { KafkaPolicyView } from './kafka-policy-view.ts';
import { KafkaSettledOutcomes } from './kafka-settled-outcomes.ts';
import type { KafkaSettings } from './kafka-settings.ts';
import { logAhead } from './log-ahead.ts';
import type { ClusterConnection } from './reading/cluster-connection.ts';
import type { Offsets } from './reading/fetched.ts';
import { ClusterReads } from './reading/cluster-reads.ts';
import { readAhead, readLast, readOne } from './reading/point-reads.ts';
import { readPartitions } from './reading/read-partitions.ts';
import type { ReadingSource } from './reading/read-partitions.ts';
import { undecidedIn } from './reading/undecided.ts';
import { planReading } from './reading/reading-options.ts';
import type { ReadOptions } from './reading/reading-options.ts';
import { IntakeReads, intakePosition } from './submission-log/intake-reads.ts';
import { KafkaAuditReading, KafkaAuditRestorer } from './submission-log/kafka-audit-restorer.ts';
import type { KafkaAuditReadingDeps } from './submission-log/kafka-audit-restorer.ts';
import { KafkaSubmissionLog } from './submission-log/kafka-submission-log.ts';
import { submissionLogOptions } from './submission-log/options.ts';
import type { KafkaSubmissionLogOptions } from './submission-log/options.ts';
import { producerPlan } from './submission-log/producer-plan.ts';
import { TransactionalProducer } from './submission-log/transactional-producer.ts';
import { toLogRecord } from './to-log-record.ts';
import { topicExists } from './topic-exists.ts';
import { topicName } from './topic-name.ts';
import { describeLongestKept, describeRetention } from './topics/describe-retention.ts';
import { SerialAdmin } from './topics/serial-admin.ts';
import { requireCluster } from './require-cluster.ts';

/**
 * Connects. Rejects with `KAFKA_UNREACHABLE` (retry), `KAFKA_AUTHENTICATION`, `KAFKA_AUTHORIZATION`
 * or `LOG_MISMATCH` (stop).
 */
export async function openKafkaLog(
  settings: KafkaSettings,
  diagnostics: KafkaDiagnostics,
): Promise<KafkaLog> {
  const kafka = createKafka(settings, diagnostics);
  const admin = new SerialAdmin(kafka);
  try {
    return new KafkaLog({
      kafka,
      admin,
      settings,
      diagnostics,
      clusterId: await requireCluster(admin, settings),
    });
  } catch (error) {
    await admin.close();
    throw error;
  }
}

export interface KafkaLogDeps {
  readonly kafka: Kafka;
  readonly admin: SerialAdmin;
  readonly settings: KafkaSettings;
  readonly diagnostics: KafkaDiagnostics;
  readonly clusterId: string;
}

const CLOSE_WITHIN_MS = 2_000;

/** All topics on a Kafka cluster. Positions and records name the logical topic. */
export class KafkaLog {
  /** The first part of positions. */
  readonly name: string;
  /** The cluster id and prefix to which `name` must be bound. */
  readonly clusterId: string;
  readonly #deps: KafkaLogDeps;
  readonly #reads: ClusterReads;
  readonly #intake: IntakeReads;
  readonly #identity: LogIdentity;
  readonly #appender: Appender;
  readonly #closed = new AbortController();
  #closing: Promise<void> | undefined;

  constructor(deps: KafkaLogDeps) {
    this.name = deps.settings.log;
    this.clusterId = deps.clusterId;
    this.#deps = deps;
    this.#reads = new ClusterReads(deps.kafka);
    this.#intake = new IntakeReads({ ...deps, reads: this.#reads });
    this.#identity = new LogIdentity({
      ids: async (custody) => await this.#intake.topicIds(custody),
      settled: async () => await this.#intake.allSettledTopics(),
      accepted: async () => await this.#intake.acceptedReplacements(),
    });
    this.#appender = new Appender({
      kafka: deps.kafka,
      diagnostics: deps.diagnostics,
      nameOf: (topic) => this.#nameOf(topic),
      partitionsOf: async (topic) =>
        (await this.#reads.ask((connection) => connection.leaders(this.#nameOf(topic)))).size,
    });
  }

  /**
   * Durable on every in-sync replica once it resolves. Returns positions in the given order. After
   * a rejection, any of the records may be in the log, each complete. If the remedy is `retry`,
   * append all of them again.
   */
  async append(entries: readonly LogEntry[]): Promise<Position[]> {
    this.#requireOpen();
    const appended = await this.#appender.append(entries);
    return entries.map(({ topic }, index) => ({
      log: this.name,
      topic,
      partition: appended[index]?.partition ?? 0,
      offset: appended[index]?.offset ?? 0n,
    }));
  }

  /**
   * The visible records of a topic, in order within a partition. Holds one fetch in memory. Throws
   * `OFFSET_OUT_OF_RANGE` and `LOG_REPLACED` (stop), `KAFKA_UNREACHABLE` (retry).
   */
  async *read(topic: Topic, options: ReadOptions): AsyncGenerator<LogRecord> {
    for await (const records of this.readBatches(topic, options)) yield* records;
  }

  /** Like `read`, in batches: records of one partition, at least one. */
  readBatches(topic: Topic, options: ReadOptions): AsyncGenerator<readonly LogRecord[]> {
    return this.#readBatches(topic, options, async () => {
      await this.#identity.requireSameTopic(topic);
    });
  }

  async *#readBatches(
    topic: Topic,
    { signal, ...options }: ReadOptions,
    requireSameTopic: () => Promise<void>,
  ): AsyncGenerator<readonly LogRecord[]> {
    this.#requireOpen();
    const name = this.#nameOf(topic);
    const stop =
      signal === undefined ? this.#closed.signal : AbortSignal.any([signal, this.#closed.signal]);
    const source: ReadingSource = {
      kafka: this.#deps.kafka,
      topic: name,
      requireSameTopic,
    };
    for await (const { partition, messages } of readPartitions(
      source,
      (connection) => planReading(connection, name, options),
      stop,
    )) {
      yield messages.map((message) => toLogRecord(message, topic, partition));
    }
  }

  /**
   * `undefined`: there is no such visible record. It was never appended to this log, its retention
   * is over, or its transaction is aborted or still open.
   */
  async readAt({ log, topic, partition, offset }: Position): Promise<LogRecord | undefined> {
    const known = Object.values(TOPICS).find((name) => name === topic);
    if (log !== this.name || known === undefined) return undefined;
    const message = await this.#ask((connection) =>
      readOne(connection, this.#nameOf(known), partition, offset),
    );
    return message === undefined ? undefined : toLogRecord(message, known, partition);
  }

  /**
   * For each topic, whether it is the one that was settled. Also works for a log that must not be
   * read any more.
   */
  async identity(): Promise<readonly TopicIdentity[]> {
    this.#requireOpen();
    return await this.#identity.look();
  }

  /**
   * The topic's current id. `undefined`: the brokers do not support ids, or the topic is not
   * visible to this user.
   */
  async topicId(topic: Topic): Promise<string | undefined> {
    const name = this.#nameOf(topic);
    return (await this.#ask((connection) => connection.topicIds([name])))?.get(name);
  }

  /** Open transactions that block readers of a topic: the oldest of each partition that has one. */
  async undecided(topic: Topic): Promise<readonly Undecided[]> {
    return await this.#ask((connection) => undecidedIn(connection, this.#nameOf(topic)));
  }

  /** The first offset of each partition. */
  async starts(topic: Topic): Promise<Offsets> {
    return await this.#ask((connection) => connection.starts(this.#nameOf(topic)));
  }

  /**
   * The offset that each partition's next record will get. Records of open transactions precede it.
   */
  async ends(topic: Topic): Promise<Offsets> {
    return await this.#ask((connection) => connection.ends(this.#nameOf(topic)));
  }

  /**
   * The first records appended at or after a time, milliseconds; a partition without one: its end.
   */
  async since(topic: Topic, at: number): Promise<Offsets> {
    return await this.#ask((connection) => connection.since(this.#nameOf(topic), at));
  }

  /**
   * The visible records of a partition at or after an offset. Fetches one batch, and more only if
   * that batch holds no visible record. Throws `OFFSET_OUT_OF_RANGE` (stop).
   */
  async ahead(topic: Topic, partition: number, offset: bigint): Promise<LogAhead> {
    return logAhead(
      await this.#ask((connection) =>
        readAhead(connection, this.#nameOf(topic), partition, offset),
      ),
    );
  }

  /** How long a topic keeps records, milliseconds; `Infinity`: for ever. */
  async retention(topic: Topic): Promise<number> {
    this.#requireOpen();
    const name = this.#nameOf(topic);
    return await this.#deps.admin.ask((admin) => describeRetention(admin, name), name);
  }

  /**
   * How long a topic may have a record at most after its append, milliseconds, as `retention`. Kafka
   * looks for what it deletes every few minutes.
   */
  async longestKept(topic: Topic): Promise<number> {
    this.#requireOpen();
    const name = this.#nameOf(topic);
    return await this.#deps.admin.ask((admin) => describeLongestKept(admin, name), name);
  }

  /**
   * The group's committed position on the intake log by partition: the offset that routers read
   * next. Partitions without a committed position are absent.
   */
  async committed(): Promise<Offsets> {
    this.#requireOpen();
    return await this.#intake.committed();
  }

  /**
   * The progress of each partition of the intake log. Throws `LOG_MISMATCH` (stop) if the audit log
   * belongs to another log.
   */
  async progress(): Promise<readonly IntakeProgress[]> {
    this.#requireOpen();
    return await intakeProgress(this.#intake);
  }

  /**
   * For each partition of the intake log, the number of offsets from the first unsettled one
   * (`IntakeProgress.next`) to its end. 0 if that range holds only markers and aborted records.
   */
  async lag(): Promise<Offsets> {
    const lags = new Map<number, bigint>();
    for (const progress of await this.progress())
      lags.set(
        progress.partition,
        await unsettledOf(progress, (offset) =>
          this.ahead(TOPICS.samples, progress.partition, offset),
        ),
      );
    return lags;
  }

  /**
   * The last event of an audit partition that is about an intake record; `undefined`: none. Used if
   * the committed position is missing. Waits for open transactions.
   */
  async lastAuditEvent(partition: number): Promise<LogRecord | undefined> {
    const message = await this.#ask((connection) =>
      readLast(connection, this.#nameOf(TOPICS.audit), partition, {
        wanted: ({ value }) => intakePosition(value) !== undefined,
      }),
    );
    return message === undefined ? undefined : toLogRecord(message, TOPICS.audit, partition);
  }

  /** Looks up the outcomes of single intake records in the audit log. */
  settledOutcomes(): KafkaSettledOutcomes {
    this.#requireOpen();
    return new KafkaSettledOutcomes({
      log: this.name,
      nameOf: (topic) => this.#nameOf(topic),
      ask: async (question) => await this.#ask(question),
    });
  }

  /** The intake log as routers consume it; each `consume` of it joins their group. */
  submissionLog(options: Partial<KafkaSubmissionLogOptions> = {}): KafkaSubmissionLog {
    this.#requireOpen();
    return new KafkaSubmissionLog({ ...this.#deps, reads: this.#reads }, options);
  }

  /**
   * One partition of the audit log, for a comparison with its ledger. Throws `AUDIT_UNDECIDED`
   * (retry) if its readers would wait for an open transaction.
   */
  async auditReading(partition: number): Promise<KafkaAuditReading> {
    const open = (await this.undecided(TOPICS.audit)).find((one) => one.partition === partition);
    if (open !== undefined)
      throw new KafkaLogError({
        code: 'AUDIT_UNDECIDED',
        remedy: 'retry',
        message: `Expected no open transaction in partition ${partition} of the audit log, found one at offset ${open.offset}. If a router settles now, try again. If it was killed, its successor ends the transaction, or \`residency audit restore\` without --dry-run.`,
      });
    return new KafkaAuditReading(this.#auditReading(partition));
  }

  /**
   * To append entries of the ledger that a partition of the audit log lost. Fences its routers: stop
   * them before. Close it afterwards.
   */
  async auditRestorer(partition: number): Promise<KafkaAuditRestorer> {
    this.#requireOpen();
    const quarantinePartitions = (await this.#intake.partitions(TOPICS.quarantine)).length;
    return await KafkaAuditRestorer.open({
      ...this.#deps,
      ...this.#auditReading(partition),
      plan: producerPlan(this.#deps.settings, partition, {
        ...submissionLogOptions({}),
        quarantinePartitions,
      }),
    });
  }

  /** The settled audit events. Once `signal` is aborted, its readings reject with its reason. */
  auditFeed(signal?: AbortSignal): KafkaAuditFeed {
    this.#requireOpen();
    return new KafkaAuditFeed({
      partitions: async (topic) => await this.#intake.partitions(topic),
      end: async (topic, partition) => (await this.ends(topic)).get(partition) ?? -1n,
      read: (topic, partition, from) => this.#readToEnd(topic, partition, { from, signal }),
    });
  }

  /**
   * A region's custody log; a topic that is missing has no records. Takes no right, and fences nobody.
   * Once `signal` is aborted, its readings reject with its reason.
   */
  custodyRecords(region: string, signal?: AbortSignal): CustodyReading {
    return {
      log: this.name,
      region,
      read: (from) => this.#custodyRecords(custodyTopic(region), from, signal),
    };
  }

  async *#custodyRecords(
    topic: Topic,
    from: bigint | undefined,
    signal: AbortSignal | undefined,
  ): AsyncGenerator<CustodyRecord> {
    if (!(await topicExists(this, topic))) return;
    yield* custodyRecords(this.#readToEnd(topic, 0, { from, signal }));
  }

  /**
   * Opens a region's custody log and fences its earlier owner, which may be a running custodian: use
   * `custodian`, unless none runs. It does not compare the topic with the one that was settled, so
   * that a topic made again can be restored. Close it afterwards.
   */
  async custodyLog(
    region: string,
    options: Partial<KafkaCustodianOptions> = {},
  ): Promise<KafkaCustodyLog> {
    const { transactionTimeoutMs } = custodianOptions(options);
    return await this.#openCustody({
      region,
      transactionTimeoutMs,
      beforeCommit: () => Promise.resolve(),
    });
  }

  /**
   * A region's custody log, for a comparison with its ledger. Takes no right, and fences nobody.
   * Throws `CUSTODY_UNDECIDED` (retry) if its readers would wait for an open transaction.
   */
  async custodyReading(region: string): Promise<LogReading> {
    const of = { topic: custodyTopic(region), partition: 0 };
    const [open] = await this.undecided(of.topic);
    if (open !== undefined)
      throw new KafkaLogError({
        code: 'CUSTODY_UNDECIDED',
        remedy: 'retry',
        message: `Expected no open transaction in ${of.topic}, found one at offset ${open.offset}. If a custodian works now, try again. If it was killed, its successor ends the transaction, or \`residency audit restore\` without --dry-run.`,
      });
    return {
      log: this.name,
      of,
      records: () => this.#readCustody(of.topic),
    };
  }

  /** A custodian of a region; each `lead` of it joins the region's group. */
  custodian(region: string, options: Partial<KafkaCustodianOptions> = {}): KafkaCustodian {
    this.#requireOpen();
    return new KafkaCustodian({
      ...this.#deps,
      reads: this.#intake,
      region,
      options: custodianOptions(options),
      open: async (owner) => await this.#openCustody(owner),
      requireTopic: async (topic) =>
        await requireCustodyTopic(topic, { reads: this.#intake, identity: this.#identity }),
    });
  }

  /** Follows the policy log in the background until `close`. */
  policyView(): KafkaPolicyView {
    this.#requireOpen();
    return new KafkaPolicyView(this.#following(TOPICS.policy));
  }

  /**
   * Follows the control log in the background until `close`. `changed` is called with the current
   * state and after each record.
   */
  controlView(changed?: (state: ControlState) => void): KafkaControlView {
    this.#requireOpen();
    return new KafkaControlView(this.#following(TOPICS.control), changed);
  }

  /**
   * Moves the watermarks of the consent and the policy log. `now` is part of the ticks' ids,
   * milliseconds.
   */
  async tick(now: number): Promise<void> {
    await this.append([consentTick(String(now)), policyTick(String(now))]);
  }

  /**
   * Ends readings and views, and finishes pending appends. Later calls reject with `LOG_CLOSED`.
   */
  async close(): Promise<void> {
    this.#closing ??= this.#finish();
    await this.#closing;
  }

  async #finish(): Promise<void> {
    this.#closed.abort();
    // Appends complete. A pending request may never be answered, so it is not awaited.
    await Promise.all([
      this.#appender.close(),
      atMost(CLOSE_WITHIN_MS, this.#reads.close()),
      atMost(CLOSE_WITHIN_MS, this.#deps.admin.close()),
    ]);
  }

  #auditReading(partition: number): KafkaAuditReadingDeps {
    return {
      log: this.name,
      partition,
      reads: this.#intake,
      read: (topic, from) => this.#readToEnd(topic, partition, { from }),
    };
  }

  async #openCustody(owner: CustodyOwner): Promise<KafkaCustodyLog> {
    this.#requireOpen();
    return await KafkaCustodyLog.open(
      {
        openProducer: async (plan) => await TransactionalProducer.open(this.#deps.kafka, plan),
        settings: this.#deps.settings,
        reads: this.#intake,
        read: (topic, from) => this.#readCustody(topic, from),
      },
      owner,
    );
  }

  /**
   * Whatever topic has the name: one that was made again is restored, and a custodian compares it
   * before.
   */
  async *#readCustody(topic: Topic, from?: bigint): AsyncGenerator<readonly LogRecord[]> {
    yield* this.#readBatches(topic, readingToEnd(0, from), () => Promise.resolve());
    this.#requireOpen();
  }

  /** Throws `LOG_CLOSED` if the log was closed meanwhile: a reading cut short looks complete. */
  async *#readToEnd(
    topic: Topic,
    partition: number,
    {
      from,
      signal,
    }: { readonly from?: bigint | undefined; readonly signal?: AbortSignal | undefined },
  ): AsyncGenerator<readonly LogRecord[]> {
    yield* this.readBatches(topic, { ...readingToEnd(partition, from), ...defined({ signal }) });
    signal?.throwIfAborted();
    this.#requireOpen();
  }

  async #ask<T>(question: (connection: ClusterConnection) => Promise<T>): Promise<T> {
    this.#requireOpen();
    return await this.#reads.ask(question);
  }

  #following(topic: Topic): Omit<FollowingDeps, 'topic' | 'add'> {
    const read = (
      from: bigint | undefined,
      until: 'end' | 'aborted',
    ): AsyncGenerator<readonly LogRecord[]> =>
      this.readBatches(topic, {
        ...(from === undefined ? {} : { from: new Map([[0, from]]) }),
        until,
      });
    return { read, diagnostics: this.#deps.diagnostics, signal: this.#closed.signal };
  }

  #requireOpen(): void {
    if (this.#closed.signal.aborted)
      throw new KafkaLogError({
        code: 'LOG_CLOSED',
        remedy: 'stop',
        message: 'Expected the log to be open, found it closed. Open it again.',
      });
  }

  #nameOf(topic: Topic): string {
    return topicName(this.#deps.settings.topicPrefix, topic);
  }
}

function readingToEnd(partition: number, from: bigint | undefined): ReadOptions {
  return {
    partitions: [partition],
    until: 'end',
    ...(from === undefined ? {} : { from: new Map([[partition, from]]) }),
  };
}
