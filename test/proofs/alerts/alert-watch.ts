import { setTimeout as sleep } from 'node:timers/promises';
import type { FiringAlert, PrometheusServer } from '../../stack/index.ts';

const LOOK_EVERY_MS = 500;

/** An alert and how long it fired; `performance.now()`. */
export interface Firing {
  readonly labels: FiringAlert['labels'];
  readonly from: number;
  to?: number;
}

/** Which alert: its name, and labels that it must have besides. */
export type Expected = { readonly alertname: string } & Readonly<Record<string, string>>;

/** Records every alert that fires, with its start and end. */
export class AlertWatch {
  readonly firings: Firing[] = [];
  readonly #open = new Map<string, Firing>();
  readonly #stop = new AbortController();
  readonly #looking: Promise<void>;

  constructor(prometheus: PrometheusServer) {
    this.#looking = this.#look(prometheus);
  }

  /** The first one that fired after `since`, or that was firing then. */
  find(expected: Expected, since: number): Firing | undefined {
    return this.firings.find(
      ({ labels, to }) =>
        (to === undefined || to > since) &&
        Object.entries(expected).every(([name, value]) => labels[name] === value),
    );
  }

  async until(what: () => boolean, withinMs: number): Promise<boolean> {
    const deadline = performance.now() + withinMs;
    while (!what() && performance.now() < deadline) await sleep(LOOK_EVERY_MS);
    return what();
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#looking;
  }

  async #look(prometheus: PrometheusServer): Promise<void> {
    while (!this.#stop.signal.aborted) {
      const alerts = await prometheus.alerts();
      const now = performance.now();
      const firing = new Map(
        alerts
          .filter(({ state }) => state === 'firing')
          .map(({ labels }) => [
            JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => a.localeCompare(b))),
            labels,
          ]),
      );
      for (const [key, labels] of firing) {
        if (this.#open.has(key)) continue;
        const begun: Firing = { labels, from: now };
        this.#open.set(key, begun);
        this.firings.push(begun);
      }
      for (const [key, one] of this.#open) {
        if (firing.has(key)) continue;
        one.to = now;
        this.#open.delete(key);
      }
      await sleep(LOOK_EVERY_MS, undefined, { signal: this.#stop.signal }).catch(() => undefined);
    }
  }
}
