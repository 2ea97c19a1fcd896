import { TOPICS, auditEventIn, custodyTopic } from '@residency/contracts';
import type { Topic } from '@residency/contracts';
import type { AuditTrail } from '@residency/reconciliation';
import { pause } from '@residency/waiting';
import type { KafkaLog } from './kafka-log.ts';
import { topicExists } from './topic-exists.ts';

/** The methods of the log that are used. */
export type TrailLog = Pick<KafkaLog, 'name' | 'read' | 'ends' | 'committed' | 'lastAuditEvent'>;

const PATIENCE_MS = 10_000;
const POLL_MS = 100;

export interface KafkaAuditTrailDeps {
  /** Called before each read. */
  readonly log: () => Promise<TrailLog>;
  /** The regions of all valid policy versions. */
  readonly regions: () => Iterable<string>;
  readonly signal: AbortSignal;
}

/**
 * The cluster's log as the reconciler reads it. Offsets and events commit together, but a broker
 * may show the events first. Once `signal` is aborted, everything rejects with its reason, because
 * an aborted read looks like a complete one.
 */
export class KafkaAuditTrail implements AuditTrail {
  readonly #log: () => Promise<TrailLog>;
  readonly #regions: () => Iterable<string>;
  readonly #signal: AbortSignal;
  /** The last event read of each audit partition. */
  readonly #last = new Map<number, Buffer>();

  constructor({ log, regions, signal }: KafkaAuditTrailDeps) {
    this.#log = log;
    this.#regions = regions;
    this.#signal = signal;
  }

  async *events(): AsyncGenerator<Buffer> {
    for await (const { partition, value } of this.#records(TOPICS.audit)) {
      this.#last.set(partition, value);
      yield value;
    }
  }

  async *pointers(): AsyncGenerator<Buffer> {
    for await (const { value } of this.#records(TOPICS.quarantine)) yield value;
  }

  async *custody(): AsyncGenerator<Buffer> {
    for (const region of this.#regions()) {
      const topic = custodyTopic(region);
      if (await topicExists(await this.#log(), topic))
        for await (const { value } of this.#records(topic)) yield value;
    }
  }

  /** If the committed offsets are behind the events that were read, waits a while for them. */
  async committed(): Promise<ReadonlyMap<string, bigint>> {
    const read = this.#settledByEvents();
    for (let waited = 0; ; waited += POLL_MS) {
      this.#signal.throwIfAborted();
      const committed = await this.#committed();
      if (
        waited >= PATIENCE_MS ||
        [...read].every(([partition, offset]) => (committed.get(partition) ?? -1n) >= offset)
      )
        return committed;
      await pause(POLL_MS, this.#signal);
    }
  }

  async end(): Promise<ReadonlyMap<string, bigint>> {
    const log = await this.#log();
    return new Map(
      [...(await log.ends(TOPICS.samples))].map(([partition, end]) => [
        nameOf(log, partition),
        end,
      ]),
    );
  }

  async *lookupDifferences(): AsyncGenerator<string> {
    // A cluster has no look-up tables.
  }

  /** A record without a value counts as an invalid event. */
  async *#records(
    topic: Topic,
  ): AsyncGenerator<{ readonly partition: number; readonly value: Buffer }> {
    const log = await this.#log();
    for await (const { partition, value } of log.read(topic, {
      until: 'end',
      signal: this.#signal,
    }))
      yield { partition, value: value ?? Buffer.alloc(0) };
    // An aborted read ends like a complete one.
    this.#signal.throwIfAborted();
  }

  async #committed(): Promise<ReadonlyMap<string, bigint>> {
    const log = await this.#log();
    const next = await log.committed();
    const settled = [...(await log.ends(TOPICS.samples)).keys()].map(
      async (partition) =>
        [
          nameOf(log, partition),
          (next.get(partition) ?? (await nextByEvents(log, partition))) - 1n,
        ] as const,
    );
    return new Map(await Promise.all(settled));
  }

  #settledByEvents(): ReadonlyMap<string, bigint> {
    return new Map(
      [...this.#last.values()].flatMap((value) => {
        const position = auditEventIn(value)?.position;
        return position === undefined
          ? []
          : [[`${position.log}/${position.topic}/${position.partition}`, position.offset] as const];
      }),
    );
  }
}

/** If the committed position is missing, finds it as a router does. */
async function nextByEvents(log: TrailLog, partition: number): Promise<bigint> {
  const position = auditEventIn((await log.lastAuditEvent(partition))?.value)?.position;
  return position === undefined ? 0n : position.offset + 1n;
}

function nameOf({ name }: TrailLog, partition: number): string {
  return `${name}/${TOPICS.samples}/${partition}`;
}
