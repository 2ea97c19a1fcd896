import { pause } from '@residency/waiting';
import { CliError, interrupted, usage } from '../terminal/cli-error.ts';
import { readNamed } from '../terminal/read-named.ts';
import type { Session } from '../terminal/session.ts';
import type { HttpService } from './http-service.ts';
import { problemOf } from './problem.ts';
import type { HttpProblem } from './problem.ts';

export interface HttpAddress {
  readonly url: string;
  readonly tokenFile?: string;
}

export interface HttpClient {
  /** Where the service is, for messages. */
  readonly host: string;
  /**
   * The service's answer, of any status but 503, which is asked again after the time in Retry-After.
   * Throws the service's code for `unreachable` and `unavailable` (both retry), and what `onUnavailable`
   * returns.
   */
  readonly ask: (path: string, request: HttpRequest) => Promise<Response>;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'PUT';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array<ArrayBuffer>;
  /** Until the end of its answer, milliseconds. */
  readonly timeoutMs?: number;
}

export interface HttpClientOptions {
  /** An error ends the request at once: this 503 is not waited for. */
  readonly onUnavailable?: (problem: HttpProblem, host: string) => Error | undefined;
}

/** How often something that is unavailable is asked for. */
const TRIES = 6;
const MOST_WAIT_SECONDS = 30;
const TIMEOUT_MS = 120_000;

/** Throws `USAGE` and `FILE_UNREADABLE` without repeating address or token. */
export async function openHttpClient(
  session: Session,
  service: HttpService,
  { url, tokenFile }: HttpAddress,
  { onUnavailable = () => undefined }: HttpClientOptions = {},
): Promise<HttpClient> {
  const base = parseBase(service, url);
  const authorization = authorizationOf(await readToken(session, service, tokenFile));
  return {
    host: base.host,
    ask: async (path, request) => {
      const address = new URL(path, base);
      const headers = { ...authorization, ...request.headers };
      for (let tries = 1; ; tries += 1) {
        const response = await attempt(session, service, address, { ...request, headers });
        if (response.status !== 503) return response;
        const problem = await problemOf(response);
        const ended = onUnavailable(problem, base.host);
        if (ended !== undefined) throw ended;
        if (tries === TRIES) throw unavailable(service, base.host, problem);
        await waitFor(session, service, response, problem);
      }
    },
  };
}

/** Throws `USAGE` without repeating the value. */
export function parseBase({ a, option }: Pick<HttpService, 'a' | 'option'>, text: string): URL {
  const url = URL.parse(text.endsWith('/') ? text : `${text}/`);
  if (
    url === null ||
    !/^https?:$/.test(url.protocol) ||
    url.username !== '' ||
    url.password !== '' ||
    url.search !== ''
  ) {
    throw usage(
      `Expected ${option} to be the http or https address of ${a}, without user, password or query, such as http://127.0.0.1:8080; found something else.`,
    );
  }
  return url;
}

async function readToken(
  { env }: Session,
  { tokenVariable }: HttpService,
  file: string | undefined,
): Promise<string | undefined> {
  const token =
    file === undefined
      ? env[tokenVariable]
      : (await readNamed(file, 'the token file')).toString('utf8').trim();
  if (token !== undefined && !/^[\x21-\x7e]+$/.test(token))
    throw usage(
      'Expected a bearer token of printable characters without blanks, found something else; write only the token to the file.',
    );
  return token;
}

function authorizationOf(token: string | undefined): Record<string, string> {
  return token === undefined ? {} : { authorization: `Bearer ${token}` };
}

async function waitFor(
  { signal, output }: Session,
  { the }: HttpService,
  { headers }: Response,
  { why }: HttpProblem,
): Promise<void> {
  const seconds = Number(headers.get('retry-after') ?? '5');
  const wait = Number.isFinite(seconds) ? Math.min(Math.max(seconds, 0), MOST_WAIT_SECONDS) : 5;
  output.note(`${capital(the)} is unavailable${why}; trying again in ${wait} s.`);
  await pause(wait * 1_000, signal);
  if (signal.aborted) throw interrupted();
}

function unavailable(
  { the, does, codes }: HttpService,
  host: string,
  { why }: HttpProblem,
): CliError {
  return new CliError({
    code: codes.unavailable,
    message: `Expected ${the} at ${host} to ${does}, found it unavailable ${TRIES} times${why}; see its /readyz and try again.`,
    remedy: 'retry',
  });
}

async function attempt(
  { signal }: Session,
  { a, the, option, codes }: HttpService,
  url: URL,
  { timeoutMs = TIMEOUT_MS, ...request }: HttpRequest,
): Promise<Response> {
  try {
    // A redirect could lead token and sample elsewhere.
    return await fetch(url, {
      ...request,
      redirect: 'error',
      signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    });
  } catch (cause) {
    if (signal.aborted) throw interrupted();
    const why =
      cause instanceof Error && cause.cause instanceof Error && 'code' in cause.cause
        ? String(cause.cause.code)
        : 'no answer';
    throw new CliError({
      code: codes.unreachable,
      message: `Expected ${a} at ${url.host}, found ${why}; check ${option} and that ${the} runs.`,
      remedy: 'retry',
      cause,
    });
  }
}

/** The answer is none of the service's. */
export function foreign({
  a,
  option,
  codes,
}: Pick<HttpService, 'a' | 'option' | 'codes'>): CliError {
  return new CliError({
    code: codes.foreign,
    message: `Expected the answer of ${a}, found something else; check that ${option} leads to one.`,
    remedy: 'stop',
  });
}

function capital(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
