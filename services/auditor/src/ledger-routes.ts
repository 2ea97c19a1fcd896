import { ledgerPath } from '@residency/auditing';
import type { LedgerStore } from '@residency/auditing';
import { remedyOf } from '@residency/coded-error';
import { CHECKPOINT_PATH, parseTilePath } from '@residency/ledger';
import type { FastifyInstance, FastifyReply } from 'fastify';

/** A tile never changes; a checkpoint does, and what is not there may come. */
const CACHED = 'public, max-age=31536000, immutable';
const ASKED_AGAIN = 'no-cache';
const NOT_KEPT = 'no-store';
/** An int32, as Kafka's. */
const PARTITION = /^(?:0|[1-9]\d{0,9})$/;

/**
 * `GET /ledger/<partition>/checkpoint` and `/ledger/<partition>/tile/...` as C2SP tlog-tiles has them; the URL of a partition is what its tools ask for. Nothing else of the
 * store is served: whoever reaches the port controls the path.
 */
export function ledgerRoutes(app: FastifyInstance, store: Pick<LedgerStore, 'read'>): void {
  app.get<{ Params: { partition: string; '*': string } }>(
    '/ledger/:partition/*',
    async ({ params }, reply) => {
      const path = servedPath(params.partition, params['*']);
      if (path === undefined) return missing(reply);
      let bytes: Uint8Array | undefined;
      try {
        bytes = await store.read(path);
      } catch (error) {
        return reply
          .code(remedyOf(error) === 'retry' ? 503 : 500)
          .header('cache-control', NOT_KEPT)
          .type('text/plain; charset=utf-8')
          .send('The ledger can not be read now.\n');
      }
      if (bytes === undefined) return missing(reply);
      const isCheckpoint = params['*'] === CHECKPOINT_PATH;
      return reply
        .header('cache-control', isCheckpoint ? ASKED_AGAIN : CACHED)
        .type(isCheckpoint ? 'text/plain; charset=utf-8' : 'application/octet-stream')
        .send(Buffer.from(bytes));
    },
  );
}

function servedPath(partition: string, path: string): string | undefined {
  if (!PARTITION.test(partition) || (path !== CHECKPOINT_PATH && !isTilePath(path)))
    return undefined;
  return ledgerPath(Number(partition), path);
}

function isTilePath(path: string): boolean {
  try {
    parseTilePath(path);
    return true;
  } catch {
    return false;
  }
}

function missing(reply: FastifyReply): FastifyReply {
  return reply
    .code(404)
    .header('cache-control', NOT_KEPT)
    .type('text/plain; charset=utf-8')
    .send('Nothing of a ledger stands here.\n');
}
