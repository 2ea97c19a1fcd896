import type { Readiness, ServiceFacts } from '@residency/observation';
import { tryReadJson } from '@residency/residency';
import { CliError } from '../terminal/cli-error.ts';
import { isObject } from '../http/json-object.ts';
import { printable } from '../terminal/output.ts';
import { observe } from './observe.ts';
import { readBounded } from '../terminal/read-bounded.ts';

export type Fetch = (
  url: URL,
  init: { readonly redirect: 'manual'; readonly signal: AbortSignal },
) => Promise<Response>;

export interface Asking {
  readonly signal: AbortSignal;
  /** Of the body. */
  readonly mostBytes?: number;
  readonly ask?: Fetch;
}

const READINESS_BYTES = 65_536;
/** A code, and a position: a log's name, a topic of at most 249 characters, two numbers. */
const MOST_TEXT = 400;

/** Where a service's probe or metrics are. */
export function probeUrl(base: string, path: string): URL {
  return new URL(path, base.endsWith('/') ? base : `${base}/`);
}

/**
 * Asks a service's probes' port, where whoever answers controls what comes. Throws
 * `SERVICE_UNREACHABLE` (retry), or `NOT_A_SERVICE` for more than `mostBytes`.
 */
export async function askService(
  url: URL,
  { signal, mostBytes = READINESS_BYTES, ask = fetch }: Asking,
): Promise<{ readonly status: number; readonly body: string }> {
  try {
    const response = await ask(url, { redirect: 'manual', signal });
    return {
      status: response.status,
      body: (await readBounded(response, mostBytes, notAService)).toString('utf8'),
    };
  } catch (cause) {
    if (cause instanceof CliError) throw cause;
    throw new CliError({
      code: 'SERVICE_UNREACHABLE',
      message: 'Expected a service at its address, found no answer; check that it runs.',
      remedy: 'retry',
      cause,
    });
  }
}

/**
 * What a service says of itself on `/readyz`; its texts are made printable and cut. Throws as
 * `askService`, or `NOT_A_SERVICE` for another answer than a service's.
 */
export async function readReadiness(base: string, asking: Asking): Promise<Readiness> {
  const { status, body } = await askService(probeUrl(base, 'readyz'), asking);
  if (status !== 200 && status !== 503) throw notAService();
  return readinessOf(body);
}

/** The service at an address as one fact of a snapshot. */
export async function observeService(
  base: string,
  withinMs: number,
  asking: Asking,
): Promise<ServiceFacts> {
  return {
    host: new URL(base).host,
    readiness: await observe(withinMs, () => readReadiness(base, asking)),
  };
}

function readinessOf(body: string): Readiness {
  const value = tryReadJson(body);
  if (!isObject(value) || typeof value['ready'] !== 'boolean' || !Array.isArray(value['checks']))
    throw notAService();
  const failed = value['checks'].flatMap((check: unknown) =>
    isObject(check) && check['ok'] !== true
      ? [{ name: text(check['name']), detail: text(check['detail']) }]
      : [],
  );
  return { ready: value['ready'], failed };
}

export function notAService(): CliError {
  return new CliError({
    code: 'NOT_A_SERVICE',
    message:
      'Expected the probes and metrics of a service, found something else; check the address.',
    remedy: 'stop',
  });
}

function text(value: unknown): string {
  return typeof value === 'string' ? printable(value).slice(0, MOST_TEXT) : '';
}
