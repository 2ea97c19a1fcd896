import { encodeHttpBatch, encodeHttpBinary } from '@residency/cloudevents';
import type { CloudEvent } from '@residency/cloudevents';
import { tryReadJson } from '@residency/residency';
import { pause } from '@residency/waiting';
import { CliError, interrupted, usage } from '../terminal/cli-error.ts';
import type { IntakeOptions } from './intake-options.ts';
import { printable } from '../terminal/output.ts';
import { readNamed } from '../terminal/read-named.ts';
import type { Session } from '../terminal/session.ts';

/** One event's place in the log; `submission` where it was one. */
export interface Accepted {
  readonly position: string;
  readonly submission?: string;
}

export interface IntakeClient {
  post(events: readonly CloudEvent[]): Promise<readonly Accepted[]>;
  /** `undefined`: it knows no such thing. */
  get(path: string): Promise<Record<string, unknown> | undefined>;
}

const TRIES = 6;
const MOST_WAIT_SECONDS = 30;
const TIMEOUT_MS = 120_000;

export async function openIntake(
  session: Session,
  options: IntakeOptions & { readonly url: string },
): Promise<IntakeClient> {
  const base = parseBase(options.url);
  const token =
    options.tokenFile === undefined
      ? session.env['RESIDENCY_TOKEN']
      : (await readNamed(options.tokenFile, 'the token file')).toString('utf8').trim();
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    throw usage(
      'Expected a bearer token of printable characters without blanks, found something else; write only the token to the file.',
    );
  const authorization: Record<string, string> =
    token === undefined ? {} : { authorization: `Bearer ${token}` };
  const ask = (path: string, init: RequestInit): Promise<Response> =>
    request(session, new URL(path, base), init);
  return {
    post: async (events) => {
      const [only] = events;
      const { headers, body } =
        events.length === 1 && only !== undefined
          ? encodeHttpBinary(only)
          : encodeHttpBatch(events);
      const response = await ask('events', {
        method: 'POST',
        headers: { ...authorization, ...Object.fromEntries(headers) },
        body: new Uint8Array(body),
      });
      if (response.status !== 202) throw await refused(response);
      return readAccepted(await readObject(response), events.length);
    },
    get: async (path) => {
      const response = await ask(path, { method: 'GET', headers: authorization });
      if (
        response.status === 404 &&
        response.headers.get('content-type')?.startsWith('application/problem+json') === true
      ) {
        await response.body?.cancel();
        return undefined;
      }
      if (response.status !== 200) throw await refused(response);
      return await readObject(response);
    },
  };
}

/** Throws `USAGE` without repeating the value. */
export function parseBase(text: string): URL {
  const url = URL.parse(text.endsWith('/') ? text : `${text}/`);
  if (
    url === null ||
    !/^https?:$/.test(url.protocol) ||
    url.username !== '' ||
    url.password !== '' ||
    url.search !== ''
  ) {
    throw usage(
      'Expected --url to be the http or https address of an intake, without user, password or query, such as http://127.0.0.1:8080; found something else.',
    );
  }
  return url;
}

/** 503 and a full or closing intake say when to come again; nothing of such a request was kept. */
async function request(
  { signal, output }: Session,
  url: URL,
  init: RequestInit,
): Promise<Response> {
  for (let tries = 1; ; tries += 1) {
    const response = await attempt(url, init, signal);
    if (response.status !== 503) return response;
    const said = await problemOf(response);
    // These last until a person says otherwise.
    if (said.code === 'DRAINING')
      throw new CliError({
        code: 'DRAINING',
        message: `Expected the intake at ${url.host} to take submissions, found it drained by its operators; nothing of this request was published. Publish it again after \`residency resume\`.`,
        remedy: 'retry',
      });
    if (tries === TRIES)
      throw new CliError({
        code: 'INTAKE_UNAVAILABLE',
        message: `Expected the intake at ${url.host} to take this, found it unavailable ${TRIES} times${said.why}; see its /readyz and try again.`,
        remedy: 'retry',
      });
    const seconds = Number(response.headers.get('retry-after') ?? '5');
    const wait = Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), MOST_WAIT_SECONDS) : 5;
    output.note(`The intake is unavailable${said.why}; trying again in ${wait} s.`);
    await pause(wait * 1_000, signal);
    if (signal.aborted) throw interrupted();
  }
}

/**
 * The code of a problem document, as words too; none where the answer is another's, such as a
 * proxy's.
 */
async function problemOf(
  response: Response,
): Promise<{ readonly code?: string; readonly why: string }> {
  const problem = tryReadJson(await response.text().catch(() => ''));
  const code =
    isObject(problem) &&
    typeof problem['code'] === 'string' &&
    /^[A-Z][A-Z_]{0,63}$/.test(problem['code'])
      ? problem['code']
      : undefined;
  return code === undefined ? { why: '' } : { code, why: ` (${code})` };
}

async function attempt(url: URL, init: RequestInit, signal: AbortSignal): Promise<Response> {
  try {
    // A redirect could lead token and sample elsewhere.
    return await fetch(url, {
      ...init,
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    });
  } catch (cause) {
    if (signal.aborted) throw interrupted();
    const why =
      cause instanceof Error && cause.cause instanceof Error && 'code' in cause.cause
        ? String(cause.cause.code)
        : 'no answer';
    throw new CliError({
      code: 'INTAKE_UNREACHABLE',
      message: `Expected an intake at ${url.host}, found ${why}; check --url and that the intake runs.`,
      remedy: 'retry',
      cause,
    });
  }
}

async function refused(response: Response): Promise<CliError> {
  const problem = await readObject(response).catch((): Record<string, unknown> => ({}));
  const said =
    typeof problem['detail'] === 'string'
      ? printable(problem['detail'])
      : 'no reason that could be read.';
  const code =
    response.status === 401 || response.status === 403 ? 'TOKEN_REFUSED' : 'INTAKE_REFUSED';
  return new CliError({
    code,
    message: `Expected the intake to take the request, found HTTP ${response.status}: ${said}`,
    remedy: 'stop',
  });
}

function readAccepted({ accepted }: Record<string, unknown>, count: number): Accepted[] {
  const read = Array.isArray(accepted)
    ? accepted.flatMap((one: unknown): Accepted[] => {
        if (!isObject(one) || typeof one['position'] !== 'string') return [];
        return [
          {
            position: one['position'],
            ...(typeof one['submission'] === 'string' ? { submission: one['submission'] } : {}),
          },
        ];
      })
    : [];
  if (read.length !== count) throw notAnIntake();
  return read;
}

async function readObject(response: Response): Promise<Record<string, unknown>> {
  const value: unknown = tryReadJson(await response.text().catch(() => ''));
  if (!isObject(value)) throw notAnIntake();
  return value;
}

export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function notAnIntake(): CliError {
  return new CliError({
    code: 'NOT_AN_INTAKE',
    message:
      'Expected the answer of an intake, found something else; check that --url leads to one.',
    remedy: 'stop',
  });
}
