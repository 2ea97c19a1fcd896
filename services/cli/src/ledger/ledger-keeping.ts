import { setTimeout as sleep } from 'node:timers/promises';
import { beginLedger, changeKey, checkpointPath } from '@residency/auditing';
import type { BegunLedger, LedgerStore } from '@residency/auditing';
import { hasCode } from '@residency/coded-error';
import type { TopicPartition } from '@residency/contracts';
import type { LOST_OF_LEDGER } from '@residency/contracts';
import { openLedgerKeys, withNextKey, withoutLastKey } from '@residency/ledger';
import type { KeyFile } from '@residency/ledger';
import { usage } from '../terminal/cli-error.ts';

/** A system's ledgers and their key file, for commands that change them. */
export interface LedgerKeeping {
  readonly logs: readonly TopicPartition[];
  readonly store: LedgerStore;
  readonly kept: LedgerStore;
  /** `undefined`: there is none. */
  readKeys(): Promise<KeyFile | undefined>;
  /** In the place of what was read; whole or not at all, and durable. */
  replaceKeys(file: KeyFile): Promise<void>;
  newSecret(): Promise<string>;
  originOf(of: TopicPartition, generation: number): string;
  /**
   * Brings the ledgers to the log's end with the current key file, if that is this system's task.
   */
  grow(): Promise<void>;
  /** Throws the reason if the ledgers must not be continued, as far as this system can see. */
  check(): Promise<void>;
  /** Why a missing key is not simply made. */
  keyLost(): Error;
}

/** An auditor publishes at the same time; each attempt reads anew. */
const ATTEMPTS = 20;
const PAUSE_MS = 250;

/** Runs what changes keys or ledgers, once it is recorded that it begins. */
type Recorded = <T>(work: () => Promise<T>) => Promise<T>;

/**
 * Changes the key: a new one signs together with the old one, then alone. May be repeated after any
 * stop.
 */
export async function rotateKey(keeping: LedgerKeeping, record: Recorded): Promise<void> {
  const before = await keeping.readKeys();
  if (before === undefined) throw keeping.keyLost();
  await record(() => rotate(keeping, before));
}

async function rotate(keeping: LedgerKeeping, before: KeyFile): Promise<void> {
  await keeping.grow();
  const both =
    before.secrets.length === 2 ? before : withNextKey(before, await keeping.newSecret());
  // The new secret is durable before it signs anything.
  if (both !== before) await keeping.replaceKeys(both);
  for (const of of keeping.logs) await signWithBoth(keeping, both, of);
  await keeping.replaceKeys(await withoutLastKey(both));
}

async function signWithBoth(
  keeping: LedgerKeeping,
  file: KeyFile,
  of: TopicPartition,
): Promise<void> {
  const { store, kept } = keeping;
  const keys = await openLedgerKeys(file, keeping.originOf(of, file.generation));
  for (let attempt = 1; ; attempt += 1) {
    try {
      await changeKey({ ...keys, store, kept, of, generation: file.generation });
      return;
    } catch (error) {
      if (attempt === ATTEMPTS || !hasCode(error, 'LEDGER_MOVED')) throw error;
      await sleep(PAUSE_MS);
    }
  }
}

export type Lost = (typeof LOST_OF_LEDGER)[number];

export interface NewLedgers {
  readonly generation: number;
  readonly begun: ReadonlyMap<TopicPartition, BegunLedger>;
}

/**
 * Begins a new ledger for each log, whose first leaf is the last checkpoint of the one
 * before. May be repeated after any stop.
 */
export async function newLedgers(
  keeping: LedgerKeeping,
  lost: Lost,
  record: Recorded,
): Promise<NewLedgers> {
  const file = await keeping.readKeys();
  if (lost === 'events' && file === undefined) throw keeping.keyLost();
  const last = await newestGeneration(keeping);
  // Begun by a call that was cut off, and not signed yet.
  const begun = file !== undefined && file.generation > last;
  if (!begun && lost === 'key' && file !== undefined)
    throw usage(
      "Expected the ledger's key to be lost, found it; to change a key that is there: residency audit key rotate. If events were lost: residency audit new-ledger --lost events.",
    );
  if (!begun && lost === 'events') await requireLost(keeping);
  return await record(() =>
    begin(keeping, file, { begun, generation: begun ? file.generation : last + 1 }),
  );
}

async function begin(
  keeping: LedgerKeeping,
  file: KeyFile | undefined,
  { begun, generation }: { readonly begun: boolean; readonly generation: number },
): Promise<NewLedgers> {
  const firsts = new Map<TopicPartition, BegunLedger>();
  for (const of of keeping.logs) firsts.set(of, await beginLedger({ ...keeping, of, generation }));
  if (!begun)
    await keeping.replaceKeys({
      generation,
      secrets: [file?.secrets.at(-1) ?? (await keeping.newSecret())],
      former: [],
    });
  await keeping.grow();
  return { generation, begun: firsts };
}

/** Throws if the ledger can still be continued: then it must be. */
async function requireLost(keeping: LedgerKeeping): Promise<void> {
  try {
    await keeping.check();
  } catch {
    return;
  }
  throw usage(
    'Expected events to be lost, found that ledger, log and the checkpoint kept apart are one history; nothing was done.',
  );
}

/** The newest with a checkpoint; 1 if none has. */
export async function newestGeneration({
  logs,
  store,
  kept,
}: {
  readonly logs: readonly TopicPartition[];
  readonly store: Pick<LedgerStore, 'read'>;
  readonly kept?: Pick<LedgerStore, 'read'> | undefined;
}): Promise<number> {
  const has = async (generation: number): Promise<boolean> => {
    for (const of of logs) {
      const path = checkpointPath(of, generation);
      if ((await kept?.read(path)) !== undefined || (await store.read(path)) !== undefined)
        return true;
    }
    return false;
  };
  let generation = 1;
  while (await has(generation + 1)) generation += 1;
  return generation;
}
