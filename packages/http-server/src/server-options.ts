/** Milliseconds. */
export interface Timeouts {
  /** From a connection's first byte, or its opening, to the end of its headers. */
  readonly headers: number;
  /** To the end of the body. */
  readonly request: number;
  /** Between two requests. */
  readonly keepAlive: number;
  /** The idle time of a connection, in any state. Ends clients that do not read their answer. */
  readonly idle: number;
  /** The time that `close` allows requests in progress. */
  readonly grace: number;
}
export const DEFAULT_TIMEOUTS: Timeouts = {
  headers: 10_000,
  request: 60_000,
  keepAlive: 10_000,
  idle: 120_000,
  grace: 10_000,
};
export const DEFAULT_MAX_CONNECTIONS = 1_024;

/**
 * Receives what an operator must act on: codes and call sites, never a message that may quote
 * input.
 */
export interface ServerLog {
  error(fields: object, message: string): void;
}

/** What a service is called in its answers, and what they advise. Clients read it. */
export interface ServiceWords {
  /** `intake` in "The intake failed". */
  readonly name: string;
  /** What it depends on: `log` in "Expected the log behind the intake to accept this". */
  readonly dependency: string;
  /** The next step for a client whose header fields are over 32 KiB: a sentence. */
  readonly headersAdvice: string;
}

/** The settings of a server that every service passes on. */
export interface ServerSettings {
  readonly timeouts?: Partial<Timeouts>;
  readonly maxConnections?: number;
  readonly log?: ServerLog;
  /**
   * Called after each response with the route's pattern (`undefined`: none matched), status and
   * milliseconds.
   */
  readonly answered?: (route: string | undefined, status: number, milliseconds: number) => void;
}

export interface ServerOptions extends ServerSettings {
  readonly service: ServiceWords;
  /**
   * True for a server without tokens: it listens on loopback only, and refuses pages of other
   * origins.
   */
  readonly guarded: boolean;
}
