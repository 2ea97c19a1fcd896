import { setTimeout as sleep } from 'node:timers/promises';
import { codeOf } from '@residency/coded-error';
import type { KafkaLog } from '@residency/adapter-kafka';
import type { ClusterTraffic } from './cluster-traffic.ts';

const AT_ONCE = 40;
/** Beyond the due submissions it continues at this slow rate. */
const SLOWLY_MS = 200;
const AGAIN_AFTER_MS = 200;

export interface PublisherOptions {
  /** The most records that it may be ahead of the routers. */
  readonly ahead: number;
  /** The number of settled records. */
  readonly settled: () => number;
  /**
   * The number of submissions that may be published now, so that traffic lasts until the last
   * disturbance.
   */
  readonly due: () => number;
  readonly signal: AbortSignal;
}

/**
 * Publishes all of the traffic. A send without an acknowledgement is repeated, whether it arrived
 * or not.
 */
export class Publisher {
  acknowledged = 0;
  /** The number of sends with an unknown outcome. */
  unknown = 0;
  readonly done: Promise<void>;

  constructor(log: KafkaLog, traffic: ClusterTraffic, options: PublisherOptions) {
    this.done = this.#publish(log, traffic, options);
  }

  async #publish(
    log: KafkaLog,
    traffic: ClusterTraffic,
    { ahead, settled, due, signal }: PublisherOptions,
  ): Promise<void> {
    while (this.acknowledged < traffic.size && !signal.aborted) {
      const early = this.acknowledged >= due();
      await sleep(early ? SLOWLY_MS : 0);
      const to = Math.min(traffic.size, this.acknowledged + (early ? 1 : AT_ONCE));
      if (to - settled() > ahead) {
        await sleep(50);
        continue;
      }
      try {
        await log.append(traffic.entries(this.acknowledged, to));
        this.acknowledged = to;
      } catch (error) {
        if (codeOf(error) === undefined) throw error;
        this.unknown += 1;
        await sleep(AGAIN_AFTER_MS);
      }
    }
  }
}
