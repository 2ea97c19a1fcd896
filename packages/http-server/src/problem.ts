import { defined } from '@residency/defined';

const KINDS = {
  'invalid-request': { status: 400, title: 'The request is not valid' },
  'invalid-event': { status: 400, title: 'The event is not valid' },
  unauthenticated: { status: 401, title: 'A valid bearer token is needed' },
  forbidden: { status: 403, title: 'The request is not allowed' },
  'not-found': { status: 404, title: 'There is nothing here' },
  'method-not-allowed': { status: 405, title: 'The method is not allowed here' },
  timeout: { status: 408, title: 'The request did not arrive in time' },
  conflict: { status: 409, title: 'The state does not allow this' },
  gone: { status: 410, title: 'It is over' },
  'too-large': { status: 413, title: 'The request is too large' },
  'unsupported-media-type': { status: 415, title: 'The content type is not supported' },
  'expectation-failed': { status: 417, title: 'The expectation cannot be met' },
  'too-many-requests': { status: 429, title: 'A limit is used up' },
  'headers-too-large': { status: 431, title: 'The header fields are too large' },
  internal: { status: 500, title: 'The {service} failed' },
  'not-implemented': { status: 501, title: 'The {service} does not know how to read this' },
  unavailable: { status: 503, title: 'The {service} cannot take this now' },
} as const;
export type ProblemKind = keyof typeof KINDS;

export const PROBLEM_CONTENT_TYPE = 'application/problem+json';

export interface ProblemInit {
  readonly kind: ProblemKind;
  /** A literal; more specific than the kind. */
  readonly code: string;
  /**
   * The expected, the found, the next step. The client controls its request, so no value of it is
   * repeated.
   */
  readonly detail: string;
  /** The index of the event in its batch, from 0. */
  readonly index?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly cause?: unknown;
}

/** An RFC 9457 problem as an exception. */
export class Problem extends Error {
  readonly init: ProblemInit;

  constructor(init: ProblemInit) {
    super(init.detail, init.cause === undefined ? undefined : { cause: init.cause });
    this.name = 'Problem';
    this.init = init;
  }

  get status(): number {
    return KINDS[this.init.kind].status;
  }

  /** The same problem, for one event of a batch. */
  at(index: number): Problem {
    return new Problem({ ...this.init, index });
  }

  /**
   * RFC 9457 §3.1; `code` and `index` are extension members (§3.2). `service`: the name by which
   * the client knows the service.
   */
  document(service: string): object {
    const { kind, code, detail, index } = this.init;
    const { status, title } = KINDS[kind];
    return {
      type: `urn:residency:problem:${kind}`,
      title: title.replace('{service}', service),
      status,
      detail,
      code,
      ...defined({ index }),
    };
  }
}

/** 503: the client sends the same request again after this number of seconds. */
export function unavailable(
  code: string,
  detail: string,
  retryAfterSeconds: number,
  cause?: unknown,
): Problem {
  return new Problem({
    kind: 'unavailable',
    code,
    detail,
    headers: { 'retry-after': String(retryAfterSeconds) },
    cause,
  });
}
