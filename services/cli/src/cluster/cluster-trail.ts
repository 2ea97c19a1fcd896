import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaLog } from '@residency/adapter-kafka';
import { TOPICS, decodeAuditEvent } from '@residency/contracts';
import type { Topic } from '@residency/contracts';
import type { AuditTrail } from '@residency/reconciliation';
import { checkInterrupted } from '../session.ts';
import type { Session } from '../session.ts';

/** What it asks of the log. */
export type TrailLog = Pick<KafkaLog, 'name' | 'read' | 'ends' | 'committed' | 'lastAuditEvent'>;

const PATIENCE_MS = 10_000;
const POLL_MS = 100;

/** The cluster's log as the reconciler reads it. Offsets and events commit together, but a broker may show the events first. */
export class ClusterTrail implements AuditTrail {
  readonly #session: Session;
  readonly #log: () => Promise<TrailLog>;
  /** The last event read of each audit partition. */
  readonly #last = new Map<number, Buffer>();

  constructor(session: Session, log: () => Promise<TrailLog>) {
    this.#session = session;
    this.#log = log;
  }

  async* events(): AsyncGenerator<Buffer> {
    for await (const { partition, value } of this.#records(TOPICS.audit)) {
      this.#last.set(partition, value);
      yield value;
    }
  }

  async* pointers(): AsyncGenerator<Buffer> {
    for await (const { value } of this.#records(TOPICS.quarantine)) yield value;
  }

  /** Waits a while until it says no less than the events that were read. */
  async committed(): Promise<ReadonlyMap<string, bigint>> {
    const read = this.#settledByEvents();
    for (let waited = 0; ; waited += POLL_MS) {
      checkInterrupted(this.#session);
      const committed = await this.#committed();
      if (waited >= PATIENCE_MS || [...read].every(([partition, offset]) => (committed.get(partition) ?? -1n) >= offset)) return committed;
      await sleep(POLL_MS);
    }
  }

  async end(): Promise<ReadonlyMap<string, bigint>> {
    const log = await this.#log();
    return new Map([...await log.ends(TOPICS.samples)].map(([partition, end]) => [nameOf(log, partition), end]));
  }

  async* lookupDifferences(): AsyncGenerator<string> {
    // A cluster has no look-up tables.
  }

  /** No value: no event either, and counted as such. */
  async* #records(topic: Topic): AsyncGenerator<{ readonly partition: number; readonly value: Buffer }> {
    const log = await this.#log();
    for await (const { partition, value } of log.read(topic, { until: 'end', signal: this.#session.signal })) yield { partition, value: value ?? Buffer.alloc(0) };
    // An aborted reading ends as one that is whole does.
    checkInterrupted(this.#session);
  }

  async #committed(): Promise<ReadonlyMap<string, bigint>> {
    const log = await this.#log();
    const next = await log.committed();
    const settled = [...(await log.ends(TOPICS.samples)).keys()].map(async (partition) => [nameOf(log, partition), (next.get(partition) ?? await nextByEvents(log, partition)) - 1n] as const);
    return new Map(await Promise.all(settled));
  }

  #settledByEvents(): ReadonlyMap<string, bigint> {
    return new Map([...this.#last.values()].flatMap((value) => {
      const position = positionOf(value);
      return position === undefined ? [] : [[`${position.log}/${position.topic}/${position.partition}`, position.offset] as const];
    }));
  }
}

/** Where the committed position is gone, as a router finds it. */
async function nextByEvents(log: TrailLog, partition: number): Promise<bigint> {
  const position = positionOf((await log.lastAuditEvent(partition))?.value);
  return position === undefined ? 0n : position.offset + 1n;
}

function positionOf(value: Buffer | null | undefined): ReturnType<typeof decodeAuditEvent>['position'] | undefined {
  try {
    return value === null || value === undefined ? undefined : decodeAuditEvent(value).position;
  } catch {
    // Somebody else's record; the reconciler says so.
    return undefined;
  }
}

function nameOf({ name }: TrailLog, partition: number): string {
  return `${name}/${TOPICS.samples}/${partition}`;
}
