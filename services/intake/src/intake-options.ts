import type { Limits } from '@residency/contracts';
import type { Operations } from '@residency/operations';
import type { FastifyInstance } from 'fastify';
import type { ConsentHistories } from './ports/consent-histories.ts';
import type { EventAppender } from './ports/event-appender.ts';
import type { SubmissionStatus } from './ports/submission-status.ts';
import type { IntakeToken } from './tokens.ts';

/** Milliseconds. */
export interface IntakeTimeouts {
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
export const DEFAULT_TIMEOUTS: IntakeTimeouts = {
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
export interface IntakeLog {
  error(fields: object, message: string): void;
}

export interface IntakeOptions {
  /**
   * An address or `localhost`, which means 127.0.0.1. Any other than loopback requires `tokens`.
   */
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly appender: EventAppender;
  readonly status: SubmissionStatus;
  readonly consents: ConsentHistories;
  readonly operations: Operations;
  /**
   * Further routes of the process, open to every client that reaches the port. An answer may set
   * `cache-control`; otherwise it is not cached.
   */
  readonly routes?: (app: FastifyInstance) => void;
  readonly tokens?: readonly IntakeToken[];
  /** `inFlightBytes`: the limit for all request bodies held at one time. */
  readonly limits?: Limits;
  readonly timeouts?: Partial<IntakeTimeouts>;
  readonly maxConnections?: number;
  readonly log?: IntakeLog;
  /**
   * Called for each request. While it returns true, submissions are refused (`residency drain`);
   * consents are not.
   */
  readonly draining?: () => boolean;
  /**
   * Called after each response with the route's pattern (`undefined`: none matched), status and
   * milliseconds.
   */
  readonly answered?: (route: string | undefined, status: number, milliseconds: number) => void;
}
