import { setTimeout as sleep } from 'node:timers/promises';
import type { Offsets } from '@residency/adapter-kafka';
import { TOPICS, decodeAuditEvent } from '@residency/contracts';
import type { Workload } from '../workload.ts';
import type { Stand } from './stand.ts';
import { withWarmRouter } from './warm-router.ts';

/** Milliseconds from a sample's append time T. */
export interface Latencies {
  readonly perSecond: number;
  /** Until its audit event's append time: its transaction is still open. */
  readonly appended: readonly number[];
  /** Until a read-committed reader has its audit event. */
  readonly visible: readonly number[];
}

export interface LatencyPlan {
  readonly perSecond: number;
  readonly seconds: number;
  /** The time before that is not counted. */
  readonly warmUpSeconds: number;
}

const READER_PATIENCE_MS = 30_000;

/**
 * Measures one router. Samples are appended at a fixed rate, even if the router does not keep up.
 */
export async function measureLatencies(
  stand: Stand,
  workload: Workload,
  { perSecond, seconds, warmUpSeconds }: LatencyPlan,
): Promise<Latencies> {
  return await withWarmRouter(stand, workload, async (router) => {
    const reader = new AuditReader(
      await stand.log.ends(TOPICS.audit),
      Date.now() + warmUpSeconds * 1e3,
    );
    const reading = reader.read(stand);
    const publishing = async (): Promise<void> => {
      const published = await stand.publishing(workload, warmUpSeconds + seconds, {
        mode: 'paced',
        perSecond,
      });
      await stand.settled([router]);
      await reader.hasSeen(published);
    };
    try {
      // The reader ends first only if it fails.
      await Promise.race([publishing(), reading]);
    } finally {
      reader.stop();
      await reading;
    }
    return { perSecond, appended: reader.appended, visible: reader.visible };
  });
}

/** Reads committed audit events as they arrive. */
class AuditReader {
  readonly appended: number[] = [];
  readonly visible: number[] = [];
  readonly #from: Offsets;
  readonly #countFrom: number;
  readonly #stop = new AbortController();
  #seen = 0;

  /** Counts events of records appended at `countFrom` or later, milliseconds. */
  constructor(from: Offsets, countFrom: number) {
    this.#from = from;
    this.#countFrom = countFrom;
  }

  async read(stand: Stand): Promise<void> {
    for await (const records of stand.log.readBatches(TOPICS.audit, {
      from: this.#from,
      until: 'aborted',
      signal: this.#stop.signal,
    })) {
      const arrived = Date.now();
      for (const { at, value } of records) {
        const { at: appended } = decodeAuditEvent(value ?? Buffer.alloc(0));
        this.#seen += 1;
        if (appended < this.#countFrom) continue;
        this.appended.push(at - appended);
        this.visible.push(arrived - appended);
      }
    }
  }

  async hasSeen(count: number): Promise<void> {
    for (const until = performance.now() + READER_PATIENCE_MS; this.#seen < count;) {
      if (performance.now() > until)
        throw new Error(`Expected a reader to see all ${count} audit events, found ${this.#seen}.`);
      await sleep(20);
    }
  }

  stop(): void {
    this.#stop.abort();
  }
}
