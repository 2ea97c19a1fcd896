import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceProcess } from '../../running-deployment/service-process.ts';

/** The resources of a process, read from its own metrics. */
export const HELD = {
  'resident MB': (metrics: string) => value(metrics, 'process_resident_memory_bytes') / 1e6,
  'heap MB': (metrics: string) => value(metrics, 'nodejs_heap_size_total_bytes') / 1e6,
  'heap used MB': (metrics: string) => value(metrics, 'nodejs_heap_size_used_bytes') / 1e6,
  'outside the heap MB': (metrics: string) => value(metrics, 'nodejs_external_memory_bytes') / 1e6,
  handles: (metrics: string) => value(metrics, 'nodejs_active_handles_total'),
  timers: (metrics: string) => value(metrics, 'nodejs_active_resources{type="Timeout"}'),
  'open files': (metrics: string) => value(metrics, 'process_open_fds'),
} as const;
export type Held = keyof typeof HELD;
/** One measurement; `seconds` since the start of the run. */
export type Measurement = { readonly seconds: number } & Readonly<Record<Held, number>>;

const MEASURE_EVERY_MS = 5_000;

/** Measures the services that run from the beginning to the end of a run. */
export class ObservedServices {
  readonly courses = new Map<ServiceProcess, Measurement[]>();
  readonly #stop = new AbortController();
  readonly #measuring: Promise<void>;

  constructor(services: readonly ServiceProcess[]) {
    for (const service of services) this.courses.set(service, []);
    this.#measuring = this.#measure(performance.now());
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#measuring;
  }

  async #measure(start: number): Promise<void> {
    while (!this.#stop.signal.aborted) {
      await Promise.all(
        [...this.courses].map(async ([service, course]) => {
          const metrics = await fetch(`${service.url}/metrics`, {
            signal: AbortSignal.timeout(MEASURE_EVERY_MS),
          }).then(
            (response) => response.text(),
            () => undefined,
          );
          if (metrics === undefined) return;
          const held = Object.fromEntries(
            Object.entries(HELD).map(([name, of]) => [name, of(metrics)]),
          ) as Record<Held, number>;
          course.push({ seconds: (performance.now() - start) / 1_000, ...held });
        }),
      );
      await sleep(MEASURE_EVERY_MS, undefined, { signal: this.#stop.signal }).catch(
        () => undefined,
      );
    }
  }
}

function value(metrics: string, series: string): number {
  const line = metrics.split('\n').find((each) => each.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length + 1));
}
