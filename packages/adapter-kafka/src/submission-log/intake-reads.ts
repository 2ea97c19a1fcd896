import { TOPICS, parsePosition } from '@residency/contracts';
import type { Position, Topic } from '@residency/contracts';
import { KafkaLogError } from '../kafka-log-error.ts';
import type { KafkaSettings } from '../kafka-settings.ts';
import type { Offsets } from '../reading/fetched.ts';
import type { ClusterReads } from '../reading/cluster-reads.ts';
import { readLast } from '../reading/point-reads.ts';
import { routerGroup, topicName } from '../topic-name.ts';
import type { SerialAdmin } from '../topics/serial-admin.ts';
import type { AuditTail } from './progress.ts';

/** A partition's first offset, and the one after its last. */
export interface Bounds {
  readonly start: bigint;
  readonly end: bigint;
}

export interface IntakeReadsDeps {
  readonly settings: KafkaSettings;
  readonly admin: SerialAdmin;
  readonly reads: ClusterReads;
}

/** What the cluster knows of the intake log and of what is settled of it. Throws coded errors. */
export class IntakeReads {
  readonly #deps: IntakeReadsDeps;

  constructor(deps: IntakeReadsDeps) {
    this.#deps = deps;
  }

  async partitions(topic: Topic): Promise<readonly number[]> {
    const name = this.#name(topic);
    const leaders = await this.#deps.reads.ask(
      async (connection) => await connection.leaders(name),
    );
    if (leaders.size > 0) return [...leaders.keys()].toSorted((a, b) => a - b);
    throw new KafkaLogError({
      code: 'TOPIC_MISSING',
      remedy: 'stop',
      message: `Expected the topic ${name} with its partitions, found none. Make it: residency topics create.`,
    });
  }

  async bounds(topic: Topic): Promise<ReadonlyMap<number, Bounds>> {
    const name = this.#name(topic);
    return await this.#deps.reads.ask(async (connection) => {
      const starts = await connection.starts(name);
      const ends = await connection.ends(name);
      return new Map(
        [...ends].map(([partition, end]) => [
          partition,
          { start: starts.get(partition) ?? 0n, end },
        ]),
      );
    });
  }

  /** The group's next offset of each intake partition that has one. */
  async committed(): Promise<Offsets> {
    const name = this.#name(TOPICS.samples);
    const topics = await this.#deps.admin.ask(
      async (admin) =>
        await admin.fetchOffsets({
          groupId: routerGroup(this.#deps.settings.topicPrefix),
          topics: [name],
        }),
      name,
    );
    const offsets = topics
      .flatMap(({ partitions }) => partitions)
      .map(({ partition, offset }) => [partition, BigInt(offset)] as const);
    // -1: none. kafkajs itself writes -2 ("from the start") where what it fetches is out of the log's range.
    return new Map(offsets.filter(([, offset]) => offset >= 0n));
  }

  /** With `awaitOpen: false` at once, and of what is decided by then. */
  async auditTail(
    partition: number,
    { awaitOpen = true }: { readonly awaitOpen?: boolean } = {},
  ): Promise<AuditTail> {
    const name = this.#name(TOPICS.audit);
    return await this.#deps.reads.ask(async (connection) => {
      const start = (await connection.starts(name)).get(partition);
      if (start === undefined) throw partitionMissing(name, partition);
      const event = await readLast(connection, name, partition, {
        wanted: ({ value }) => intakePosition(value) !== undefined,
        awaitOpen,
      });
      const position = event === undefined ? undefined : intakePosition(event.value);
      return {
        trimmed: start > 0n,
        last: position === undefined ? null : this.#ours(position, partition),
      };
    });
  }

  /** How far a partition goes, and how far its transactions are decided: readers of committed records get that far. */
  async extent(
    topic: Topic,
    partition: number,
  ): Promise<{ readonly end: bigint; readonly decided: bigint }> {
    const name = this.#name(topic);
    return await this.#deps.reads.ask(async (connection) => {
      const end = (await connection.ends(name)).get(partition);
      if (end === undefined) throw partitionMissing(name, partition);
      const node = (await connection.leaders(name)).get(partition) ?? '-1';
      const [fetched] = await connection.fetch(name, node, new Map([[partition, end]]), 0);
      return { end, decided: fetched?.lastStable ?? end };
    });
  }

  #ours({ log, partition, offset }: Position, of: number): bigint {
    if (log === this.#deps.settings.log && partition === of) return offset;
    throw new KafkaLogError({
      code: 'LOG_MISMATCH',
      remedy: 'stop',
      message: `Expected partition ${of} of ${this.#name(TOPICS.audit)} to tell of the log ${this.#deps.settings.log}, found an event about ${log}, partition ${partition}. A name stands for one log for ever: set it back, or give this log a topic prefix of its own.`,
    });
  }

  #name(topic: Topic): string {
    return topicName(this.#deps.settings.topicPrefix, topic);
  }
}

/** `undefined`: an event about something else, or of a type to come. */
export function intakePosition(value: Buffer | null): Position | undefined {
  try {
    const event: unknown = JSON.parse(value?.toString('utf8') ?? '');
    const position =
      typeof event === 'object' && event !== null && 'id' in event && typeof event.id === 'string'
        ? parsePosition(event.id)
        : undefined;
    return position?.topic === TOPICS.samples ? position : undefined;
  } catch {
    return undefined;
  }
}

export function partitionMissing(topic: string, partition: number): KafkaLogError {
  return new KafkaLogError({
    code: 'TOPIC_SETTINGS',
    remedy: 'stop',
    message: `Expected the topic ${topic} to have a partition ${partition} as the intake log has, found fewer. Give both the same number of partitions: residency topics check.`,
  });
}
