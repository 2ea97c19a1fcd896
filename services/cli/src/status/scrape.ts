import { askService, notAService, probeUrl, readinessOf } from '../readiness.ts';
import type { Readiness } from '../readiness.ts';
import { parsePrometheusText } from './prometheus-text.ts';
import { tell } from './told.ts';
import type { Told } from './told.ts';
import type { Sample } from './prometheus-text.ts';

/** What a service says of itself on its probes' port. */
export interface Scrape {
  readonly ready: boolean;
  /** What it waits for, or that it starts or stops; empty where it is ready. */
  readonly waits: readonly string[];
  readonly samples: readonly Sample[];
  /** Monotonic, milliseconds. */
  readonly at: number;
}

const WITHIN_MS = 5_000;
const METRICS_BYTES = 8 * 1024 * 1024;

export async function scrape(base: string, signal: AbortSignal): Promise<Told<Scrape>> {
  return await tell(WITHIN_MS + 1_000, async () => {
    const within = { signal: AbortSignal.any([signal, AbortSignal.timeout(WITHIN_MS)]) };
    const [readiness, metrics] = await Promise.all([
      askService(probeUrl(base, 'readyz'), within),
      askService(probeUrl(base, 'metrics'), { ...within, mostBytes: METRICS_BYTES }),
    ]);
    if (metrics.status !== 200 || (readiness.status !== 200 && readiness.status !== 503))
      throw notAService();
    const { ready, failed } = readinessOf(readiness.body);
    return {
      ready,
      waits: failed.map(waitOf),
      samples: parsePrometheusText(metrics.body),
      at: performance.now(),
    };
  });
}

function waitOf({ name, detail }: Readiness['failed'][number]): string {
  return detail === '' ? name : detail.replace(/^waits: /, '');
}
