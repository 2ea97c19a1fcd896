import type { IncomingMessage } from 'node:http';
import { JsonTokens, MAX_JSON_TOKENS, isCloudEventsType } from '@residency/cloudevents';
import type { BodyBudget, BodyLease } from './body-budget.ts';
import { Problem, unavailable } from './problem.ts';

const FIRST_BYTES = 64 * 1024;

export interface ReadBodyOptions {
  readonly limit: number;
  readonly budget: BodyBudget;
  readonly lease: BodyLease;
  /** Called once the declared length is accepted. */
  readonly proceed: () => void;
}

/**
 * Reads the whole body. 413 beyond `limit`, 503 if the budget is used up, 400 if the client
 * disconnects. A declared length is checked before a byte is read, but the budget is charged only
 * for bytes that arrived. A client that declares much and then stalls therefore takes nothing from
 * the others. The server discards bytes that arrive after a refusal, until the request's timeout.
 */
export async function readBody(
  request: IncomingMessage,
  { limit, budget, lease, proceed }: ReadBodyOptions,
): Promise<Buffer> {
  const declared =
    request.headers['content-length'] === undefined
      ? undefined
      : Number(request.headers['content-length']);
  if (declared !== undefined && declared > limit) throw bodyTooLarge(limit);
  if (declared !== undefined && declared > budget.free) throw budgetSpent();
  proceed();
  const body = new GrowingBuffer(declared ?? limit, lease);
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const tokens = isCloudEventsType(request.headers['content-type'] ?? '')
    ? new JsonTokens()
    : undefined;
  const take = (chunk: Buffer): void => {
    // Checked before the rest arrives and before any value is built.
    if (tokens?.add(chunk) === false) refuse(tooManyTokens());
    else if (body.length + chunk.length > limit) refuse(bodyTooLarge(limit));
    else if (!body.append(chunk)) refuse(budgetSpent());
  };
  const refuse = (problem: Problem): void => {
    request.off('data', take).resume();
    reject(problem);
  };
  request.on('data', take);
  request.once('end', () => resolve(body.bytes));
  // `close` follows `end` too; the promise is settled then, and this changes nothing.
  request.once('close', () => reject(incomplete()));
  request.once('error', () => reject(incomplete()));
  return await promise;
}

/**
 * One growing buffer. With a list of chunks, a client that sends one-byte chunks could hold a
 * hundred times its bytes.
 */
class GrowingBuffer {
  readonly #most: number;
  readonly #lease: BodyLease;
  #buffer = Buffer.alloc(0);
  length = 0;

  constructor(most: number, lease: BodyLease) {
    this.#most = most;
    this.#lease = lease;
  }

  /** False: the budget is used up. */
  append(chunk: Buffer): boolean {
    const needed = this.length + chunk.length;
    if (needed > this.#buffer.length) {
      const capacity = Math.max(
        needed,
        Math.min(this.#most, Math.max(FIRST_BYTES, this.#buffer.length * 2)),
      );
      if (!this.#lease.take(capacity - this.#buffer.length)) return false;
      const larger = Buffer.allocUnsafeSlow(capacity);
      this.#buffer.copy(larger, 0, 0, this.length);
      this.#buffer = larger;
    }
    chunk.copy(this.#buffer, this.length);
    this.length = needed;
    return true;
  }

  get bytes(): Buffer {
    return this.#buffer.subarray(0, this.length);
  }
}

function bodyTooLarge(limit: number): Problem {
  return new Problem({
    kind: 'too-large',
    code: 'BODY_TOO_LARGE',
    detail: `Expected a body of at most ${limit} bytes; found a larger one. Send fewer events at a time, or smaller samples.`,
  });
}

function budgetSpent(): Problem {
  return unavailable(
    'BUSY',
    'Expected room for this body among those in flight; found none. Send it again after the time in Retry-After.',
    1,
  );
}

function incomplete(): Problem {
  return new Problem({
    kind: 'invalid-request',
    code: 'BODY_INCOMPLETE',
    detail: 'Expected the whole body; found the connection closed before its end. Send it again.',
  });
}

export function tooManyTokens(): Problem {
  return new Problem({
    kind: 'too-large',
    code: 'TOO_MANY_TOKENS',
    detail: `Expected at most ${MAX_JSON_TOKENS} values and names in a JSON body; found more. Use data_base64 or binary mode for such data, or smaller batches.`,
  });
}
