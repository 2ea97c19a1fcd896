import type { Topic } from '@residency/contracts';
import type { IntakeLog } from './ports/intake-log.ts';

/** How far a partition's append times are from the local clock. */
export interface AppendTimeLead {
  readonly topic: Topic;
  readonly partition: number;
  /** At least so many milliseconds ahead; negative: behind. 0: no difference is proven. */
  readonly aheadMs: number;
}

export type ClockedLog = Pick<IntakeLog, 'ends' | 'since' | 'ahead'>;

interface Ends {
  /** Local, before the ends were asked for: what comes at them or behind is appended later. */
  readonly at: number;
  readonly ends: ReadonlyMap<number, bigint>;
}

/**
 * Compares the brokers' clocks with the local clock, by the append times that brokers stamp. A
 * record that was in the log before a moment was appended before it. So a later append time means a
 * broker's clock is ahead. A record between two comparisons was appended after the first. So an
 * earlier append time means a broker's clock is behind. Neither depends on the response time.
 */
export class BrokerClocks {
  readonly #log: ClockedLog;
  readonly #topics: readonly Topic[];
  readonly #now: () => number;
  readonly #before = new Map<Topic, Ends>();

  constructor(log: ClockedLog, topics: readonly Topic[], now: () => number) {
    this.#log = log;
    this.#topics = topics;
    this.#now = now;
  }

  /**
   * The first comparison can only find clocks that are ahead. Rejects with the error that prevents
   * reading the log.
   */
  async compare(): Promise<readonly AppendTimeLead[]> {
    const leads: AppendTimeLead[] = [];
    for (const topic of this.#topics) leads.push(...(await this.#of(topic)));
    return leads;
  }

  async #of(topic: Topic): Promise<AppendTimeLead[]> {
    const before = this.#before.get(topic);
    const at = this.#now();
    const ends = await this.#log.ends(topic);
    const seen = this.#now();
    const later = await this.#log.since(topic, seen);
    const recent = before === undefined ? undefined : await this.#log.since(topic, before.at);
    const leads: AppendTimeLead[] = [];
    for (const [partition, end] of ends) {
      const first = later.get(partition) ?? end;
      const [from, newer] = [before?.ends.get(partition), recent?.get(partition)];
      let aheadMs = 0;
      if (first < end) {
        aheadMs = Math.max(0, await this.#leadOf(topic, partition, first, seen));
      } else if (before !== undefined && from !== undefined && from < end && (newer ?? 0n) >= end) {
        aheadMs = Math.min(0, await this.#leadOf(topic, partition, from, before.at));
      }
      leads.push({ topic, partition, aheadMs });
    }
    this.#before.set(topic, { at, ends });
    return leads;
  }

  /** 0 if nothing there may be seen yet. */
  async #leadOf(topic: Topic, partition: number, offset: bigint, at: number): Promise<number> {
    const { first } = await this.#log.ahead(topic, partition, offset);
    return first === undefined ? 0 : first.at - at;
  }
}
