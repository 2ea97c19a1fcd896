import { ledgerPath } from '@residency/auditing';
import type { LedgerStore } from '@residency/auditing';
import { remedyOf } from '@residency/coded-error';
import { CHECKPOINT_PATH, parseTilePath } from '@residency/ledger';
import type { FastifyInstance, FastifyReply } from 'fastify';

/** Tiles never change. Checkpoints do, and a missing file may appear later. */
const CACHED = 'public, max-age=31536000, immutable';
const ASKED_AGAIN = 'no-cache';
const NOT_KEPT = 'no-store';
/** The path prefix of a later ledger's files. */
const GENERATION = /^g([2-9]|[1-9]\d{1,5})\//;
const KEY_CHANGE = /^keys\/[0-9a-f]{8}$/;
/** An int32, as in Kafka. */
const PARTITION = /^(?:0|[1-9]\d{0,9})$/;

/** The routes' descriptions for `GET /`. */
export const LEDGER_PATHS: Readonly<Record<string, string>> = {
  'GET /ledger/{partition}/checkpoint':
    "the newest signed checkpoint of a partition's ledger (C2SP tlog-checkpoint)",
  'GET /ledger/{partition}/tile/...': 'its tiles and entries (C2SP tlog-tiles)',
  'GET /ledger/{partition}/keys/{id}':
    'the checkpoint that the key with this id and the one before it both signed',
  'GET /ledger/{partition}/g{N}/...': 'the same files of a later ledger',
};

/**
 * Serves `GET /ledger/<partition>/checkpoint` and `/ledger/<partition>/tile/...` as in C2SP
 * tlog-tiles, and `keys/<id>`. The URL of a partition (of a later ledger: `<partition>/g<N>`) is
 * the base URL for tlog-tiles clients. No other file of the store is served: clients control the
 * path.
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
          .send('The ledger cannot be read now.\n');
      }
      if (bytes === undefined) return missing(reply);
      const isCheckpoint = params['*'].replace(GENERATION, '') === CHECKPOINT_PATH;
      return reply
        .header('cache-control', isCheckpoint ? ASKED_AGAIN : CACHED)
        .type(isCheckpoint ? 'text/plain; charset=utf-8' : 'application/octet-stream')
        .send(Buffer.from(bytes));
    },
  );
}

function servedPath(partition: string, path: string): string | undefined {
  const generation = Number(GENERATION.exec(path)?.[1] ?? 1);
  const file = path.replace(GENERATION, '');
  if (
    !PARTITION.test(partition) ||
    (file !== CHECKPOINT_PATH && !KEY_CHANGE.test(file) && !isTilePath(file))
  )
    return undefined;
  return ledgerPath(Number(partition), file, generation);
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
    .send('No such file of the ledger.\n');
}
