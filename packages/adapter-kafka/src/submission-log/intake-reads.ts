import { hasCode } from '@residency/coded-error';
import {
  TOPICS,
  auditEventIn,
  decodeQuarantinePointer,
  differenceOf,
  parsePosition,
} from '@residency/contracts';
import type { CustodyTopic, LogRecord, Position, Topic } from '@residency/contracts';
import { defined } from '@residency/defined';
import type { Undecided } from '@residency/observation';
import { readJson } from '@residency/residency';
import { acceptedReplacement } from '../identity/accepted.ts';
import type { AcceptedReplacement } from '../identity/accepted.ts';
import type { SettledTopics } from '../identity/log-identity.ts';
import { topicIdsOf } from '../identity/topic-ids.ts';
import type { TopicIds } from '../identity/topic-ids.ts';
import { KafkaLogError } from '../kafka-log-error.ts';
import type { KafkaSettings } from '../kafka-settings.ts';
import type { Offsets } from '../reading/fetched.ts';
import type { ClusterConnection } from '../reading/cluster-connection.ts';
import type { ClusterReads } from '../reading/cluster-reads.ts';
import { readDecided, readLast, readOne, readOpen, readUndecided } from '../reading/point-reads.ts';
import { undecidedIn } from '../reading/undecided.ts';
import { toLogRecord } from '../to-log-record.ts';
import { routerGroup, topicName } from '../topic-name.ts';
import type { SerialAdmin } from '../topics/serial-admin.ts';
import type { AbortedEvent, AuditTail } from './progress.ts';

/** The first offset of a partition, and the offset after its last. */
export interface Bounds {
  readonly start: bigint;
  readonly end: bigint;
}

export interface IntakeReadsDeps {
  readonly settings: KafkaSettings;
  readonly admin: SerialAdmin;
  readonly reads: ClusterReads;
}

/**
 * Reads the state of the intake log and of its settled events from the cluster. Throws coded
 * errors.
 */
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

  /**
   * The last event of an audit partition. `awaitOpen: false`: returns at once, by the records that
   * are decided.
   */
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
      const tail = {
        trimmed: start > 0n,
        last: position === undefined ? null : this.#ours(position, partition),
        behind: event === undefined ? start : BigInt(event.offset) + 1n,
      };
      if (event === undefined || event.value === null) return tail;
      const ids = topicIdsOf(event.headers);
      return { ...tail, event: event.value, ...defined({ ids }) };
    });
  }

  /**
   * The topics' current ids. `undefined`: the brokers do not support topic ids. A topic that does
   * not exist or is not visible is left out, and so is a custody log that is not asked for.
   */
  async topicIds(custody: Iterable<CustodyTopic> = []): Promise<TopicIds | undefined> {
    const topics = [...Object.values(TOPICS), ...custody];
    const ids = await this.#deps.reads.ask(
      async (connection) => await connection.topicIds(topics.map((topic) => this.#name(topic))),
    );
    return ids === undefined
      ? undefined
      : new Map(
          topics.flatMap((topic) => {
            const id = ids.get(this.#name(topic));
            return id === undefined ? [] : [[topic, id] as const];
          }),
        );
  }

  /**
   * The contents of a partition's last decided audit event: the topics' ids and its intake record.
   * `undefined`: no event.
   */
  async settledTopics(partition: number, tail?: AuditTail): Promise<SettledTopics | undefined> {
    const { last, event, ids } = tail ?? (await this.auditTail(partition, { awaitOpen: false }));
    if (last === null || event === undefined) return undefined;
    const found = await this.#standing(partition, last);
    const difference =
      found === undefined
        ? undefined
        : found === 'none'
          ? 'there is none at its offset, though the log reaches beyond'
          : differenceOf(event, found);
    return {
      partition,
      compared: found !== undefined,
      ...defined({ ids, difference }),
    };
  }

  async allSettledTopics(): Promise<readonly SettledTopics[]> {
    const found: SettledTopics[] = [];
    for (const partition of await this.partitions(TOPICS.audit)) {
      const settled = await this.settledTopics(partition).catch(unlessForeign);
      if (settled !== undefined) found.push(settled);
    }
    return found;
  }

  /** Open transactions of the intake log. */
  async undecided(): Promise<readonly Undecided[]> {
    return await this.#deps.reads.ask(
      async (connection) => await undecidedIn(connection, this.#name(TOPICS.samples)),
    );
  }

  /**
   * Replacements in the decided part of the control log. An open transaction there blocks nothing.
   */
  async acceptedReplacements(): Promise<readonly AcceptedReplacement[]> {
    const name = this.#name(TOPICS.control);
    const messages = await this.#deps.reads.ask(
      async (connection) => await readDecided(connection, name, 0),
    );
    return messages
      .map((message) => acceptedReplacement(toLogRecord(message, TOPICS.control, 0)))
      .filter((one) => one !== undefined);
  }

  /**
   * The intake record at an offset. `none`: the log holds later records, but none there.
   * `undefined`: its retention is over, or the log does not reach it.
   */
  async #standing(partition: number, offset: bigint): Promise<LogRecord | 'none' | undefined> {
    try {
      return await this.#deps.reads.ask(
        async (connection) => await this.#readStanding(connection, partition, offset),
      );
    } catch (error) {
      // Its retention ended between two requests.
      if (hasCode(error, 'OFFSET_OUT_OF_RANGE')) return undefined;
      throw error;
    }
  }

  async #readStanding(
    connection: ClusterConnection,
    partition: number,
    offset: bigint,
  ): Promise<LogRecord | 'none' | undefined> {
    const name = this.#name(TOPICS.samples);
    const reaches = async (): Promise<boolean> => {
      const start = (await connection.starts(name)).get(partition);
      const stable = (await connection.stableEnds(name)).get(partition);
      return start !== undefined && stable !== undefined && offset >= start && offset < stable;
    };
    if (!(await reaches())) return undefined;
    const message = await readOne(connection, name, partition, offset);
    if (message !== undefined) return toLogRecord(message, TOPICS.samples, partition);
    // Its retention may have ended after the first look.
    return (await reaches()) ? 'none' : undefined;
  }

  /**
   * The end of a partition, and its last stable offset: readers of committed records get that far.
   */
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

  /**
   * The events of an audit partition at or behind an offset at which no event is visible. Their
   * transactions were aborted, or are open.
   */
  async abortedEvents(partition: number, from: bigint): Promise<readonly AbortedEvent[]> {
    const messages = await this.#deps.reads.ask(
      async (connection) =>
        await readUndecided(connection, this.#name(TOPICS.audit), partition, from),
    );
    return messages.flatMap(({ isControlRecord, value }) => {
      const event = isControlRecord ? undefined : auditEventIn(value);
      if (event?.position.partition !== partition) return [];
      const { previous } = event.data;
      return [
        { about: event.position.offset, previous: previous === null ? null : BigInt(previous) },
      ];
    });
  }

  /**
   * The last quarantine pointer about a record of this partition in an open transaction, and that
   * record's offset; `undefined`: none is open.
   */
  async openPointer(
    partition: number,
    quarantinePartition: number,
  ): Promise<{ readonly record: LogRecord; readonly about: bigint } | undefined> {
    const messages = await this.#deps.reads.ask(
      async (connection) =>
        await readOpen(connection, this.#name(TOPICS.quarantine), quarantinePartition),
    );
    return messages
      .map((message) => toLogRecord(message, TOPICS.quarantine, quarantinePartition))
      .flatMap((record) => {
        const about = pointedAt(record.value);
        return about?.partition === partition ? [{ record, about: about.offset }] : [];
      })
      .at(-1);
  }

  #ours({ log, partition, offset }: Position, of: number): bigint {
    if (log === this.#deps.settings.log && partition === of) return offset;
    throw new KafkaLogError({
      code: 'LOG_MISMATCH',
      remedy: 'stop',
      message: `Expected partition ${of} of ${this.#name(TOPICS.audit)} to hold events of the log ${this.#deps.settings.log}, found one of ${log}, partition ${partition}. A log's name never changes: restore it, or give this log a topic prefix of its own.`,
    });
  }

  #name(topic: Topic): string {
    return topicName(this.#deps.settings.topicPrefix, topic);
  }
}

/** Readers of the audit log must skip another log's events; routers stop at them. */
function unlessForeign(error: unknown): undefined {
  if (!hasCode(error, 'LOG_MISMATCH')) throw error;
}

/** `undefined`: an event about something else, or of a later type. */
export function intakePosition(value: Buffer | null): Position | undefined {
  try {
    const event = readJson(value ?? '');
    const position =
      typeof event === 'object' && event !== null && 'id' in event && typeof event.id === 'string'
        ? parsePosition(event.id)
        : undefined;
    return position?.topic === TOPICS.samples ? position : undefined;
  } catch {
    return undefined;
  }
}

/** `undefined`: not a quarantine pointer. */
function pointedAt(value: Buffer | null): Position | undefined {
  try {
    return parsePosition(decodeQuarantinePointer(value ?? Buffer.alloc(0)).position);
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
