import { setTimeout as sleep } from 'node:timers/promises';
import type { KafkaLog } from '@residency/adapter-kafka';
import { codeOf } from '@residency/coded-error';
import type { ClusterTraffic } from '../cluster/cluster-traffic.ts';

const AT_ONCE = 40;
const SLOWLY_MS = 150;
const AGAIN_AFTER_MS = 200;

/** How far it may publish. */
export interface Pace {
  /** Submissions to publish at once. */
  readonly at: number;
  /** Further ones to publish one by one. */
  readonly slowly: number;
}

/**
 * Publishes traffic as fast as it is let. A send without an acknowledgement is repeated, whether it
 * arrived or not.
 */
export class PacedPublisher {
  acknowledged = 0;
  /** The number of sends with an unknown outcome. */
  unknown = 0;
  pace: Pace = { at: 0, slowly: 0 };
  readonly #log: KafkaLog;
  readonly #traffic: ClusterTraffic;
  readonly #ended: Promise<void>;

  constructor(log: KafkaLog, traffic: ClusterTraffic, signal: AbortSignal) {
    this.#log = log;
    this.#traffic = traffic;
    this.#ended = this.#publish(signal);
  }

  /** Resolves once everything is published, or the signal was aborted. */
  async finish(): Promise<void> {
    this.pace = { at: this.#traffic.size, slowly: 0 };
    await this.#ended;
  }

  async #publish(signal: AbortSignal): Promise<void> {
    while (this.acknowledged < this.#traffic.size && !signal.aborted) {
      const { at, slowly } = this.pace;
      const now = Math.min(at - this.acknowledged, AT_ONCE);
      if (now > 0) await this.#send(now);
      else if (this.acknowledged < at + slowly) {
        await sleep(SLOWLY_MS);
        await this.#send(1);
      } else await sleep(50);
    }
  }

  async #send(count: number): Promise<void> {
    const to = Math.min(this.acknowledged + count, this.#traffic.size);
    try {
      await this.#log.append(this.#traffic.entries(this.acknowledged, to));
      this.acknowledged = to;
    } catch (error) {
      if (codeOf(error) === undefined) throw error;
      this.unknown += 1;
      await sleep(AGAIN_AFTER_MS);
    }
  }
}
