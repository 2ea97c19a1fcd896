/** The effect of a fault on a request. */
export type FaultKind =
  /** It never reaches the server, and the connection is reset: *failed*. */
  | 'cut'
  /**
   * The server answers, the response is dropped and the connection reset: *failed but persisted*.
   */
  | 'drop-answer'
  /**
   * It does not reach the server until the fault is cleared, and then only if the client is still
   * connected.
   */
  | 'stall'
  /**
   * It reaches the server once the fault is cleared, even if the client has disconnected and
   * retried elsewhere.
   */
  | 'late'
  /** It reaches the server; the response waits until the fault is cleared. */
  | 'stall-answer'
  /** It reaches the server after `ms`. */
  | 'delay';

export interface FaultPlan<Request> {
  readonly kind: FaultKind;
  /** The matching requests; default: any. */
  readonly when?: (request: Request) => boolean;
  /** The number of requests that it affects; default: one. */
  readonly times?: number;
  /** The length of a delay, milliseconds. */
  readonly ms?: number;
}

/** An active fault. */
export class Fault<Request> {
  readonly kind: FaultKind;
  readonly ms: number;
  /** Resolves when the first request met it; for `drop-answer` once the server has answered. */
  readonly met: Promise<void>;
  readonly cleared: Promise<void>;
  readonly #when: (request: Request) => boolean;
  readonly #meet: () => void;
  readonly #clear: () => void;
  #left: number;
  #hits = 0;

  constructor({ kind, when = () => true, times = 1, ms = 0 }: FaultPlan<Request>) {
    this.kind = kind;
    this.ms = ms;
    this.#when = when;
    this.#left = times;
    ({ promise: this.met, resolve: this.#meet } = Promise.withResolvers<void>());
    ({ promise: this.cleared, resolve: this.#clear } = Promise.withResolvers<void>());
  }

  /** The number of requests that met it so far. */
  get hits(): number {
    return this.#hits;
  }

  /** Whether the request meets this fault. Counts down the remaining times. */
  takes(request: Request): boolean {
    if (this.#left <= 0 || !this.#when(request)) return false;
    this.#left -= 1;
    return true;
  }

  hit(): void {
    this.#hits += 1;
    this.#meet();
  }

  /** Releases held requests. No request meets it any more. */
  clear(): void {
    this.#left = 0;
    this.#clear();
  }
}
