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
  /** Without a byte in either direction, whatever the state: ends those who do not read their answer. */
  readonly idle: number;
  /** What `close` gives to requests in hand. */
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

/** Gets what an operator must act on: codes and call sites, never a message that may quote input. */
export interface IntakeLog {
  error(fields: object, message: string): void;
}

export interface IntakeOptions {
  /** An address or `localhost`, which means 127.0.0.1. Anything but loopback needs `tokens`. */
  readonly host: string;
  /** 0: any free one. */
  readonly port: number;
  readonly appender: EventAppender;
  readonly status: SubmissionStatus;
  readonly consents: ConsentHistories;
  readonly operations: Operations;
  /** What the process serves besides, open to whoever reaches the port. Its answers may set `cache-control`; without, they are not kept. */
  readonly routes?: (app: FastifyInstance) => void;
  readonly tokens?: readonly IntakeToken[];
  /** `inFlightBytes`: of all request bodies held at one time. */
  readonly limits?: Limits;
  readonly timeouts?: Partial<IntakeTimeouts>;
  readonly maxConnections?: number;
  readonly log?: IntakeLog;
  /** Asked for each request: submissions are refused while it is so (`residency drain`); consents are not. */
  readonly draining?: () => boolean;
  /** Told of each answer: the route's pattern, `undefined` where none fits, its status, milliseconds. */
  readonly answered?: (route: string | undefined, status: number, milliseconds: number) => void;
}
