import type { Connections } from '@residency/operations';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { unavailable } from './problem.ts';

/**
 * Keeps a request's connection until it is answered, however many others are opened meanwhile: for
 * a request that sends a body, or waits long for its answer. Throws 503 if none is left for that.
 */
export function holdConnection(
  connections: Pick<Connections, 'hold'>,
  request: Pick<FastifyRequest, 'raw'>,
  reply: Pick<FastifyReply, 'raw'>,
): void {
  if (connections.hold(request.raw, reply.raw)) return;
  throw unavailable(
    'BUSY',
    'Expected room for this request among those in progress; found none. Send it again after the time in Retry-After.',
    1,
  );
}
