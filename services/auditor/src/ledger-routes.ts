import { RECORD_LOGS, ledgerPath } from '@residency/auditing';
import type { LedgerStore } from '@residency/auditing';
import { remedyOf } from '@residency/coded-error';
import { TOPICS, custodyTopic, regionOfCustody } from '@residency/contracts';
import type { Topic } from '@residency/contracts';
import { CHECKPOINT_PATH, parseTilePath } from '@residency/ledger';
import type { FastifyInstance, FastifyReply } from 'fastify';

/** Tiles never change. Checkpoints do, and a missing file may appear later. */
const CACHED = 'public, max-age=31536000, immutable';
const ASKED_AGAIN = 'no-cache';
const NOT_KEPT = 'no-store';
/** The path prefix of a later ledger's files. */
const GENERATION = /^g([2-9]|[1-9]\d{1,5})\//;
const KEY_CHANGE = /^keys\/[0-9a-f]{8}$/;
/** The topic, if the log is not the audit log; the partition, an int32 as in Kafka; the file. */
const PATH = /^(?:([a-z][^/]{1,127})\/)?(0|[1-9]\d{0,9})\/(.+)$/;

/** The routes' descriptions for `GET /`. */
export const LEDGER_PATHS: Readonly<Record<string, string>> = {
  'GET /ledger/{partition}/checkpoint':
    "the newest signed checkpoint of a partition's ledger (C2SP tlog-checkpoint)",
  'GET /ledger/{partition}/tile/...': 'its tiles and entries (C2SP tlog-tiles)',
  'GET /ledger/{partition}/keys/{id}':
    'the checkpoint that the key with this id and the one before it both signed',
  'GET /ledger/{partition}/g{N}/...': 'the same files of a later ledger',
  'GET /ledger/residency.custody.{region}/0/...':
    "the same files of the ledger over a region's custody log",
  'GET /ledger/{topic}/0/...': `the same files of the ledger over ${RECORD_LOGS.map(({ topic }) => topic).join(', ')}`,
};

/**
 * Serves `GET /ledger/<partition>/checkpoint` and `/ledger/<partition>/tile/...` as in C2SP
 * tlog-tiles, and `keys/<id>`; for other logs than the audit log below `/ledger/<topic>/<partition>/`. The URL of a
 * partition (of a later ledger: `<partition>/g<N>`) is the base URL for tlog-tiles clients. No other
 * file of the store is served: clients control the path.
 */
export function ledgerRoutes(app: FastifyInstance, store: Pick<LedgerStore, 'read'>): void {
  app.get<{ Params: { '*': string } }>('/ledger/*', async ({ params }, reply) => {
    const served = servedFile(params['*']);
    if (served === undefined) return missing(reply);
    const { path, file } = served;
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
    const isCheckpoint = file === CHECKPOINT_PATH;
    return reply
      .header('cache-control', isCheckpoint ? ASKED_AGAIN : CACHED)
      .type(isCheckpoint ? 'text/plain; charset=utf-8' : 'application/octet-stream')
      .send(Buffer.from(bytes));
  });
}

interface Served {
  /** In the store. */
  readonly path: string;
  /** In its ledger. */
  readonly file: string;
}

function servedFile(asked: string): Served | undefined {
  const [, named, partition = '', within = ''] = PATH.exec(asked) ?? [];
  const topic = named === undefined ? TOPICS.audit : topicNamed(named);
  const file = within.replace(GENERATION, '');
  if (
    topic === undefined ||
    (file !== CHECKPOINT_PATH && !KEY_CHANGE.test(file) && !isTilePath(file))
  )
    return undefined;
  const generation = Number(GENERATION.exec(within)?.[1] ?? 1);
  return { path: ledgerPath({ topic, partition: Number(partition) }, file, generation), file };
}

/** The topic of a log that has ledgers below its name; `undefined`: there is none. */
function topicNamed(name: string): Topic | undefined {
  const region = regionOfCustody(name);
  return region === undefined
    ? RECORD_LOGS.find(({ topic }) => topic === name)?.topic
    : custodyTopic(region);
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
