import type * as Undici from 'undici';
import type { Dispatcher, Pool, buildConnector } from 'undici';
import { memberOf } from './site-failure.ts';
import type { AnswerHeaders } from './store-answer.ts';

export interface HttpPoolOptions {
  /** `https://host:port`. */
  readonly origin: string;
  readonly connections: number;
  /** Until a connection is made. */
  readonly connectMs: number;
  /** Until an answer begins, and between two of its pieces. */
  readonly requestMs: number;
}

interface HttpRequest {
  readonly method: 'PUT' | 'HEAD';
  readonly path: string;
  /** Name, value, name, value …. */
  readonly headers: string[];
  readonly body?: Uint8Array;
}

export interface HttpAnswer {
  readonly status: number;
  readonly headers: AnswerHeaders;
  /** The body as far as it was read: `MOST_BODY_BYTES`. */
  readonly body: Buffer;
}

/**
 * The answer is one that undici does not take: an interim answer that nobody asked for, headers
 * that are too long, what is no HTTP. The request may have been carried out.
 */
export class UnreadableAnswer extends Error {
  override readonly name = 'UnreadableAnswer';
}

/** An error's text is a few hundred bytes long; the store controls it. */
const MOST_BODY_BYTES = 64 * 1_024;

type Connected = Parameters<buildConnector.Callback>[1];

/**
 * Kept-alive HTTP/1.1 connections to one origin, the only user of undici. Repeats nothing; no proxy
 * is asked, as by the SDK's own client.
 */
export class HttpPool {
  readonly #undici: typeof Undici;
  readonly #options: HttpPoolOptions;
  #pool: Pool;
  /** Of the last TLS connection, for the next one; undici itself holds it by a weak reference. */
  #session: Buffer | undefined;

  private constructor(undici: typeof Undici, options: HttpPoolOptions) {
    this.#undici = undici;
    this.#options = options;
    this.#pool = this.#newPool();
  }

  /** undici takes long to load, so only who writes loads it. */
  static async open(options: HttpPoolOptions): Promise<HttpPool> {
    return new HttpPool(await import('undici'), options);
  }

  /** How many connections there are. */
  get connected(): number {
    return this.#pool.stats.connected;
  }

  /**
   * Throws `UnreadableAnswer`, or what Node or undici names by `code` if there is no whole answer;
   * the reason of `signal` at once when it aborts.
   */
  request(request: HttpRequest, signal: AbortSignal): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      const { method, path, headers, body = null } = request;
      this.#pool.dispatch(
        // `reset`: undici would close the connection after each HEAD.
        { method, path, headers, body, reset: false },
        new Exchange(signal, resolve, reject),
      );
    });
  }

  /** Requests that begin later use connections that are made later; those in work end on theirs. */
  renew(): void {
    const old = this.#pool;
    this.#pool = this.#newPool();
    old.close().catch(() => undefined);
  }

  close(): void {
    this.#pool.destroy().catch(() => undefined);
  }

  #newPool(): Pool {
    const { origin, connections, requestMs } = this.#options;
    return new this.#undici.Pool(origin, {
      connections,
      pipelining: 1,
      allowH2: false,
      connect: this.#connect,
      headersTimeout: requestMs,
      bodyTimeout: requestMs,
    });
  }

  readonly #connect: buildConnector.connector = (options, callback) => {
    const session = this.#session;
    const connect = this.#undici.buildConnector({
      allowH2: false,
      timeout: this.#options.connectMs,
      ...(session === undefined ? {} : { session }),
    });
    connect(options, (...[error, socket]) => {
      if (error !== null) {
        callback(error, null);
        return;
      }
      this.#keepSession(socket);
      callback(null, socket);
    });
  };

  /** TLS 1.2 has its session by now, TLS 1.3 sends it later. */
  #keepSession(socket: Connected): void {
    if (socket === null || !('getSession' in socket)) return;
    if (socket.getProtocol() !== 'TLSv1.3') this.#session = socket.getSession();
    socket.on('session', (session) => {
      this.#session = session;
    });
  }
}

/** One request and its answer. */
class Exchange implements Dispatcher.DispatchHandler {
  readonly #signal: AbortSignal;
  readonly #resolve: (answer: HttpAnswer) => void;
  readonly #reject: (error: unknown) => void;
  #controller: Dispatcher.DispatchController | undefined;
  #status = 0;
  #headers: AnswerHeaders = {};
  readonly #pieces: Buffer[] = [];
  #bytes = 0;

  constructor(
    signal: AbortSignal,
    resolve: (answer: HttpAnswer) => void,
    reject: (error: unknown) => void,
  ) {
    this.#signal = signal;
    this.#resolve = resolve;
    this.#reject = reject;
    signal.addEventListener('abort', this.#abort);
    if (signal.aborted) this.#abort();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#signal.aborted) this.#abort();
  }

  /** Also called for interim answers, which another one follows. */
  onResponseStart(
    _controller: Dispatcher.DispatchController,
    status: number,
    headers: AnswerHeaders,
  ): void {
    this.#status = status;
    this.#headers = headers;
  }

  onResponseData(controller: Dispatcher.DispatchController, piece: Buffer): void {
    this.#pieces.push(piece);
    this.#bytes += piece.length;
    if (this.#bytes <= MOST_BODY_BYTES) return;
    this.#answer();
    controller.abort(new Error('Expected a short answer, found a long one.'));
  }

  onResponseEnd(): void {
    this.#answer();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#signal.removeEventListener('abort', this.#abort);
    this.#reject(named(error));
  }

  #answer(): void {
    this.#signal.removeEventListener('abort', this.#abort);
    this.#resolve({
      status: this.#status,
      headers: this.#headers,
      body: Buffer.concat(this.#pieces),
    });
  }

  readonly #abort = (): void => {
    const reason: unknown = this.#signal.reason;
    this.#controller?.abort(reason instanceof Error ? reason : new Error('Aborted.'));
    this.#reject(reason);
  };
}

const UNREADABLE = new Set([
  'UND_ERR_HEADERS_OVERFLOW',
  'UND_ERR_INVALID_ARG',
  'UND_ERR_NOT_SUPPORTED',
]);
/** What undici says of a socket that has an answer which nobody waits for, or an interim one. */
const BAD = /^bad (?:response|upgrade)$/;
/** The connection ended within an answer. */
const CUT_OFF = new Set([
  'HPE_INVALID_EOF_STATE',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
  'UND_ERR_SOCKET',
]);
const TIMEOUTS = new Set([
  'UND_ERR_BODY_TIMEOUT',
  'UND_ERR_CONNECT_TIMEOUT',
  'UND_ERR_HEADERS_TIMEOUT',
]);

/** undici's errors in the words of Node and of the SDK. */
function named(error: Error): Error {
  const code = memberOf(error, 'code');
  if (typeof code !== 'string') return error;
  if (code === 'UND_ERR_SOCKET' && BAD.test(error.message)) return new UnreadableAnswer();
  if (CUT_OFF.has(code)) return Object.assign(new Error('Cut off.'), { code: 'ECONNRESET' });
  if (TIMEOUTS.has(code)) return Object.assign(new Error('Timed out.'), { name: 'TimeoutError' });
  return UNREADABLE.has(code) || code.startsWith('HPE_') ? new UnreadableAnswer() : error;
}
