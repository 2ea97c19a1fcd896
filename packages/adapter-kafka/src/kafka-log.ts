import { TOPICS, consentTick, policyTick } from '@residency/contracts';
import type { ControlState, LogRecord, Position, Topic } from '@residency/contracts';
import type { Kafka } from 'kafkajs';
import { Appender } from './appending/appender.ts';
import type { AppendEntry } from './appending/appender.ts';
import type { KafkaDiagnostics } from './diagnostics.ts';
import type { FollowingDeps } from './following.ts';
import { createKafka } from './kafka-client.ts';
import { intakeProgress, unsettledOf } from './intake-progress.ts';
import type { IntakeProgress } from './intake-progress.ts';
import { KafkaLogError } from './kafka-log-error.ts';
import { KafkaControlView } from './kafka-control-view.ts';
import { KafkaPolicyView } from './kafka-policy-view.ts';
import type { KafkaSettings } from './kafka-settings.ts';
import { logAhead } from './log-ahead.ts';
import type { LogAhead } from './log-ahead.ts';
import type { ClusterConnection } from './reading/cluster-connection.ts';
import type { Offsets } from './reading/fetched.ts';
import { ClusterReads } from './reading/cluster-reads.ts';
import { atMost } from './reading/pause.ts';
import { readAhead, readLast, readOne } from './reading/point-reads.ts';
import { readPartitions } from './reading/read-partitions.ts';
import { planReading } from './reading/reading-options.ts';
import type { ReadOptions } from './reading/reading-options.ts';
import { IntakeReads, intakePosition } from './submission-log/intake-reads.ts';
import { KafkaSubmissionLog } from './submission-log/kafka-submission-log.ts';
import type { KafkaSubmissionLogOptions } from './submission-log/options.ts';
import { toLogRecord } from './to-log-record.ts';
import { topicName } from './topic-name.ts';
import { describeRetention } from './topics/describe-retention.ts';
import { SerialAdmin } from './topics/serial-admin.ts';
import { demandCluster } from './demand-cluster.ts';

/** Connects, and rejects with what stands against it: `KAFKA_UNREACHABLE` (retry), `KAFKA_AUTHENTICATION`, `KAFKA_AUTHORIZATION`, `LOG_MISMATCH` (stop). */
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
      clusterId: await demandCluster(admin, settings),
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
  /** What `name` is to be bound to. */
  readonly clusterId: string;
  readonly #deps: KafkaLogDeps;
  readonly #reads: ClusterReads;
  readonly #intake: IntakeReads;
  readonly #appender: Appender;
  readonly #closed = new AbortController();
  #closing: Promise<void> | undefined;

  constructor(deps: KafkaLogDeps) {
    this.name = deps.settings.log;
    this.clusterId = deps.clusterId;
    this.#deps = deps;
    this.#reads = new ClusterReads(deps.kafka);
    this.#intake = new IntakeReads({ ...deps, reads: this.#reads });
    this.#appender = new Appender({
      kafka: deps.kafka,
      diagnostics: deps.diagnostics,
      nameOf: (topic) => this.#nameOf(topic),
      partitionsOf: async (topic) =>
        (await this.#reads.ask((connection) => connection.leaders(this.#nameOf(topic)))).size,
    });
  }

  /**
   * Durable on every in-sync replica once it resolves; positions in the order given. A call that rejects may have kept any of its records, each
   * of them whole: where its remedy is `retry`, append all of them again.
   */
  async append(entries: readonly AppendEntry[]): Promise<Position[]> {
    this.#demandOpen();
    const appended = await this.#appender.append(entries);
    return entries.map(({ topic }, index) => ({
      log: this.name,
      topic,
      partition: appended[index]?.partition ?? 0,
      offset: appended[index]?.offset ?? 0n,
    }));
  }

  /** What readers may see of a topic, in order within a partition; what one fetch brought is in memory. Throws `OFFSET_OUT_OF_RANGE` (stop), `KAFKA_UNREACHABLE` (retry). */
  async *read(topic: Topic, options: ReadOptions): AsyncGenerator<LogRecord> {
    for await (const records of this.readBatches(topic, options)) yield* records;
  }

  /** The same, as it comes: records of one partition, at least one. */
  async *readBatches(
    topic: Topic,
    { signal, ...options }: ReadOptions,
  ): AsyncGenerator<readonly LogRecord[]> {
    this.#demandOpen();
    const name = this.#nameOf(topic);
    const stop =
      signal === undefined ? this.#closed.signal : AbortSignal.any([signal, this.#closed.signal]);
    for await (const { partition, messages } of readPartitions(
      this.#deps.kafka,
      name,
      (connection) => planReading(connection, name, options),
      stop,
    )) {
      yield messages.map((message) => toLogRecord(message, topic, partition));
    }
  }

  /** `undefined`: no such record for readers; never appended to this log, its retention over, or its transaction aborted or not decided yet. */
  async readAt({ log, topic, partition, offset }: Position): Promise<LogRecord | undefined> {
    const known = Object.values(TOPICS).find((name) => name === topic);
    if (log !== this.name || known === undefined) return undefined;
    const message = await this.#ask((connection) =>
      readOne(connection, this.#nameOf(known), partition, offset),
    );
    return message === undefined ? undefined : toLogRecord(message, known, partition);
  }

  /** The first offset of each partition. */
  async starts(topic: Topic): Promise<Offsets> {
    return await this.#ask((connection) => connection.starts(this.#nameOf(topic)));
  }

  /** The offset each partition's next record will get; records of transactions still open precede it. */
  async ends(topic: Topic): Promise<Offsets> {
    return await this.#ask((connection) => connection.ends(this.#nameOf(topic)));
  }

  /** The first records appended at or after a time, milliseconds; a partition without one: its end. */
  async since(topic: Topic, at: number): Promise<Offsets> {
    return await this.#ask((connection) => connection.since(this.#nameOf(topic), at));
  }

  /** What of a partition readers may see now, at an offset or behind it; brings no more than one batch, unless that holds nothing for them. Throws `OFFSET_OUT_OF_RANGE` (stop). */
  async ahead(topic: Topic, partition: number, offset: bigint): Promise<LogAhead> {
    return logAhead(
      await this.#ask((connection) =>
        readAhead(connection, this.#nameOf(topic), partition, offset),
      ),
    );
  }

  /** How long a topic keeps records, milliseconds; `Infinity`: for ever. */
  async retention(topic: Topic): Promise<number> {
    this.#demandOpen();
    const name = this.#nameOf(topic);
    return await this.#deps.admin.ask((admin) => describeRetention(admin, name), name);
  }

  /** The offset of the intake log the routers read next, as they committed it; a partition without one has none yet. */
  async committed(): Promise<Offsets> {
    this.#demandOpen();
    return await this.#intake.committed();
  }

  /** How far each partition of the intake log is settled. Throws `LOG_MISMATCH` (stop) where the audit log is another log's. */
  async progress(): Promise<readonly IntakeProgress[]> {
    this.#demandOpen();
    return await intakeProgress(this.#intake);
  }

  /** How many offsets of the intake log each partition has from the first one that is not settled (`IntakeProgress.next`) to its end; 0 where nothing but markers and aborted records stands there. */
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

  /** The last record of a partition of the audit log that tells of an intake record, for progress whose committed position is gone; `undefined`: none. Waits for open transactions. */
  async lastAuditEvent(partition: number): Promise<LogRecord | undefined> {
    const message = await this.#ask((connection) =>
      readLast(connection, this.#nameOf(TOPICS.audit), partition, {
        wanted: ({ value }) => intakePosition(value) !== undefined,
      }),
    );
    return message === undefined ? undefined : toLogRecord(message, TOPICS.audit, partition);
  }

  /** The intake log as routers consume it; each `consume` of it joins their group. */
  submissionLog(options: Partial<KafkaSubmissionLogOptions> = {}): KafkaSubmissionLog {
    this.#demandOpen();
    return new KafkaSubmissionLog({ ...this.#deps, reads: this.#reads }, options);
  }

  /** Follows the policy log in the background until `close`. */
  policyView(): KafkaPolicyView {
    this.#demandOpen();
    return new KafkaPolicyView(this.#following(TOPICS.policy));
  }

  /** Follows the control log in the background until `close`; `changed` is told of the state now and after each of its records. */
  controlView(changed?: (state: ControlState) => void): KafkaControlView {
    this.#demandOpen();
    return new KafkaControlView(this.#following(TOPICS.control), changed);
  }

  /** Moves the watermarks of the consent and the policy log; `now` names the ticks, milliseconds. */
  async tick(now: number): Promise<void> {
    await this.append([consentTick(String(now)), policyTick(String(now))]);
  }

  /** Ends readings and views, finishes what is being appended; afterwards everything rejects with `LOG_CLOSED`. */
  async close(): Promise<void> {
    this.#closing ??= this.#finish();
    await this.#closing;
  }

  async #finish(): Promise<void> {
    this.#closed.abort();
    // What is appended is finished; a question may be one whose answer does not come.
    await Promise.all([
      this.#appender.close(),
      atMost(CLOSE_WITHIN_MS, this.#reads.close()),
      atMost(CLOSE_WITHIN_MS, this.#deps.admin.close()),
    ]);
  }

  async #ask<T>(question: (connection: ClusterConnection) => Promise<T>): Promise<T> {
    this.#demandOpen();
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

  #demandOpen(): void {
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
