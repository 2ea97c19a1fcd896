import { CliError } from '../cli-error.ts';
import { isObject } from '../intake-client.ts';
import { printable } from '../output.ts';
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
const MOST_BYTES = 8 * 1024 * 1024;

export async function scrape(base: string, signal: AbortSignal): Promise<Told<Scrape>> {
  return await tell(WITHIN_MS + 1_000, async () => {
    const [readiness, metrics] = await Promise.all([ask(base, 'readyz', signal), ask(base, 'metrics', signal)]);
    if (metrics.status !== 200 || (readiness.status !== 200 && readiness.status !== 503)) throw notAService();
    return { ...readinessOf(readiness.body), samples: parsePrometheusText(metrics.body), at: performance.now() };
  });
}

async function ask(base: string, path: string, signal: AbortSignal): Promise<{ readonly status: number; readonly body: string }> {
  try {
    const response = await fetch(new URL(path, base.endsWith('/') ? base : `${base}/`), { redirect: 'error', signal: AbortSignal.any([signal, AbortSignal.timeout(WITHIN_MS)]) });
    return { status: response.status, body: await bodyOf(response) };
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError({ code: 'SERVICE_UNREACHABLE', message: 'Expected a service at its address, found no answer; check that it runs.', remedy: 'retry', cause });
  }
}

/** Whoever answers may answer without end. */
async function bodyOf({ body }: Response): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const part of body ?? []) {
    parts.push(part);
    bytes += part.length;
    if (bytes > MOST_BYTES) throw notAService();
  }
  return Buffer.concat(parts).toString('utf8');
}

function readinessOf(body: string): Pick<Scrape, 'ready' | 'waits'> {
  const value = parse(body);
  if (!isObject(value) || typeof value['ready'] !== 'boolean' || !Array.isArray(value['checks'])) throw notAService();
  const waits = value['checks'].flatMap((check: unknown) => {
    if (!isObject(check) || check['ok'] === true) return [];
    const [name, detail] = [check['name'], check['detail']].map((text) => (typeof text === 'string' ? printable(text).slice(0, 64) : ''));
    return [detail === undefined || detail === '' ? name ?? '' : detail.replace(/^waits: /, '')];
  });
  return { ready: value['ready'], waits };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function notAService(): CliError {
  return new CliError({ code: 'NOT_A_SERVICE', message: 'Expected the probes and metrics of a service, found something else; check the address.', remedy: 'stop' });
}
