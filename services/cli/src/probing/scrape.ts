import type { Observed, Readiness } from '@residency/observation';
import { observe } from './observe.ts';
import { parsePrometheusText } from './prometheus-text.ts';
import type { MetricSample } from './prometheus-text.ts';
import { askService, notAService, probeUrl, readReadiness } from './readiness.ts';

/** What a service says of itself on its probes' port. */
export interface Scrape {
  readonly readiness: Readiness;
  readonly samples: readonly MetricSample[];
  /** Monotonic, milliseconds. */
  readonly at: number;
}

const WITHIN_MS = 5_000;
const METRICS_BYTES = 8 * 1024 * 1024;

export async function scrape(base: string, signal: AbortSignal): Promise<Observed<Scrape>> {
  return await observe(WITHIN_MS + 1_000, async () => {
    const within = { signal: AbortSignal.any([signal, AbortSignal.timeout(WITHIN_MS)]) };
    const [readiness, metrics] = await Promise.all([
      readReadiness(base, within),
      askService(probeUrl(base, 'metrics'), { ...within, mostBytes: METRICS_BYTES }),
    ]);
    if (metrics.status !== 200) throw notAService();
    return { readiness, samples: parsePrometheusText(metrics.body), at: performance.now() };
  });
}
