import type { FastifyReply, FastifyRequest } from 'fastify';
import type { BodyBudget, BodyLease } from './body-budget.ts';
import { Problem, unavailable } from './problem.ts';

const FIRST_BYTES = 64 * 1024;

export interface WithBodyOptions {
  readonly limit: number;
  /** The next step for a client whose body is over `limit`: a sentence. */
  readonly limitAdvice: string;
  readonly budget: BodyBudget;
  /**
   * Called with each chunk before it is kept, and before the rest arrives. A problem refuses the
   * body.
   */
  readonly inspect?: (chunk: Buffer) => Problem | undefined;
}

/**
 * Reads the whole body and calls `use` with it; its bytes count in the budget until that resolves.
 * 413 beyond `limit`, 503 if the budget is used up, 400 if the client disconnects. A declared length
 * is checked before a byte is read, but the budget is charged only for bytes that arrived. A client
 * that declares much and then stalls therefore takes nothing from the others. The server discards
 * bytes that arrive after a refusal, until the request's timeout.
 */
export async function withBody<T>(
  { raw }: Pick<FastifyRequest, 'raw'>,
  reply: Pick<FastifyReply, 'raw'>,
  options: WithBodyOptions,
  use: (body: Buffer) => Promise<T> | T,
): Promise<T> {
  const lease = options.budget.lease();
  try {
    requireRoom(raw, options);
    if (raw.headers.expect !== undefined) reply.raw.writeContinue();
    return await use(await read(raw, lease, options));
  } finally {
    lease.release();
  }
}

function requireRoom(
  { headers }: FastifyRequest['raw'],
  { limit, limitAdvice, budget }: WithBodyOptions,
): void {
  const declared = declaredLength(headers);
  if (declared === undefined) return;
  if (declared > limit) throw bodyTooLarge(limit, limitAdvice);
  if (declared > budget.free) throw budgetSpent();
}

function declaredLength(headers: FastifyRequest['raw']['headers']): number | undefined {
  const declared = headers['content-length'];
  return declared === undefined ? undefined : Number(declared);
}

async function read(
  request: FastifyRequest['raw'],
  lease: BodyLease,
  { limit, limitAdvice, inspect }: WithBodyOptions,
): Promise<Buffer> {
  const body = new GrowingBuffer(declaredLength(request.headers) ?? limit, lease);
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
  const take = (chunk: Buffer): void => {
    const problem = inspect?.(chunk);
    if (problem !== undefined) refuse(problem);
    else if (body.length + chunk.length > limit) refuse(bodyTooLarge(limit, limitAdvice));
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

function bodyTooLarge(limit: number, advice: string): Problem {
  return new Problem({
    kind: 'too-large',
    code: 'BODY_TOO_LARGE',
    detail: `Expected a body of at most ${limit} bytes; found a larger one. ${advice}`,
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
