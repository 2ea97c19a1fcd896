import { CliError } from './cli-error.ts';
import { isObject } from './intake-client.ts';
import { printable } from './output.ts';
import { readBounded } from './read-bounded.ts';

export type Fetch = (
  url: URL,
  init: { readonly redirect: 'manual'; readonly signal: AbortSignal },
) => Promise<Response>;

/** What a service says of itself on `/readyz`; its texts are made printable, and are not endless. */
export interface Readiness {
  readonly ready: boolean;
  /** Checks that do not pass; empty where it is ready. */
  readonly failed: readonly { readonly name: string; readonly detail: string }[];
}

export interface Asking {
  readonly signal: AbortSignal;
  /** Of the body. */
  readonly mostBytes?: number;
  readonly ask?: Fetch;
}

const READINESS_BYTES = 65_536;
const MOST_TEXT = 64;

/** Where a service's probe or metrics are. */
export function probeUrl(base: string, path: string): URL {
  return new URL(path, base.endsWith('/') ? base : `${base}/`);
}

/** Asks a service's probes' port, where whoever answers controls what comes. Throws `SERVICE_UNREACHABLE` (retry), or `NOT_A_SERVICE` for more than `mostBytes`. */
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

/** What `/readyz` answered, with 200 or 503. Throws `NOT_A_SERVICE`. */
export function readinessOf(body: string): Readiness {
  const value = parse(body);
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

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
