import type { TopicPartition } from '@residency/contracts';
import { defined } from '@residency/defined';
import {
  CHECKPOINT_PATH,
  formatVerifierKey,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
  parseVerifierKey,
  signCheckpoint,
  verifyNote,
} from '@residency/ledger';
import type { LedgerKeys, VerifierKey } from '@residency/ledger';
import { AuditingError } from '../auditing-error.ts';
import { logText } from '../logs/log-text.ts';
import type { KeptCheckpoints } from '../ports/kept-checkpoints.ts';
import type { LedgerStore } from '../ports/ledger-store.ts';
import { readKept } from './kept-head.ts';
import { checkpointPath, keyChangePath, ledgerPath } from './ledger-paths.ts';

export interface ChangeKeyOptions extends LedgerKeys {
  readonly store: LedgerStore;
  readonly kept: KeptCheckpoints;
  readonly of: TopicPartition;
  readonly generation?: number;
}

/**
 * The start of the checkpoint's extension line in which the previous key vouches for the following
 * verifier key.
 */
const NEXT_KEY = 'next-key ';

/**
 * Signs the newest checkpoint of a ledger with both keys of a change, so that a verifier who knows
 * one key learns the other. Stores it under the new key's id for ever, and replaces the checkpoint.
 * Does nothing if both keys signed already, or if there is no checkpoint. May be repeated after any
 * interruption. Throws `LEDGER_MOVED` (retry) if an auditor publishes at the same time, and the
 * errors of `checkLedger`.
 */
export async function changeKey({
  store,
  kept,
  of,
  generation,
  signer,
  cosigner,
  former,
}: ChangeKeyOptions): Promise<'signed' | 'nothing'> {
  if (cosigner === undefined) return 'nothing';
  const keys = [signer.key, cosigner.key, ...former];
  const place = {
    store,
    of,
    origin: signer.key.name,
    ...defined({ generation }),
  };
  const standing = await readKept(kept, place, keys);
  const published = await store.read(checkpointPath(of, generation));
  if (published === undefined) return 'nothing';
  const { checkpoint } = await openCheckpoint(published, { origin: signer.key.name, keys });
  // The kept checkpoint never goes back. If an auditor stopped between keeping and publishing, the
  // kept one is published first.
  if (standing !== undefined && standing.head.size > checkpoint.size) throw unpublished(of);
  const path = ledgerPath(of, keyChangePath(signer.key.id), generation);
  const extensions = [`${NEXT_KEY}${formatVerifierKey(signer.key)}`];
  const both = await signCheckpoint({ ...checkpoint, extensions }, cosigner, signer);
  // An earlier attempt may have signed a smaller checkpoint. It is valid too, because it names the
  // same keys.
  if ((await store.read(path)) === undefined) await store.create(path, both);
  if (await signedBy(published, [signer.key, cosigner.key])) return 'signed';
  await kept.publish(checkpointPath(of, generation), both, standing?.bytes);
  await store.publish(checkpointPath(of, generation), both, published);
  return 'signed';
}

function unpublished(of: TopicPartition): AuditingError {
  return new AuditingError({
    code: 'LEDGER_MOVED',
    remedy: 'retry',
    message: `Expected the checkpoint of ${logText(of)} that is kept apart to be published, found that it is not yet. Let an auditor run until it is ready, and try again.`,
  });
}

async function signedBy(checkpoint: Uint8Array, keys: readonly VerifierKey[]): Promise<boolean> {
  return (await verifyNote(parseNote(checkpoint), keys)).length === keys.length;
}

/** The most key changes that are followed. */
const MOST_CHANGES = 64;

/**
 * Returns the known keys, and the keys that they vouch for through checkpoints that two successive
 * keys signed. If no known key signed the current checkpoint, it follows the changes back from the
 * keys that did to a known one. `read`: reads files of the ledger.
 */
export async function followKeys(
  read: (path: string) => Promise<Uint8Array | undefined>,
  known: readonly VerifierKey[],
): Promise<readonly VerifierKey[]> {
  const checkpoint = await read(CHECKPOINT_PATH);
  if (checkpoint === undefined) return known;
  const follow = async (note: Uint8Array, depth: number): Promise<readonly VerifierKey[]> => {
    const signatures = parseNote(note).signatures.filter(({ name }) =>
      known.some((key) => key.name === name),
    );
    if (
      depth > MOST_CHANGES ||
      signatures.some(({ name, keyId }) =>
        known.some((key) => key.name === name && key.id === keyId),
      )
    )
      return known;
    for (const { keyId } of signatures) {
      const change = await read(keyChangePath(keyId));
      if (change === undefined) continue;
      const trusted = await follow(change, depth + 1);
      const next = await vouchedFor(change, trusted, keyId);
      if (next !== undefined) return [...trusted, next];
    }
    return known;
  };
  try {
    return await follow(checkpoint, 0);
  } catch {
    // The ledger's host controls the files. If they contradict each other, the checkpoint is
    // refused.
    return known;
  }
}

/**
 * The new key, if both a trusted key and the new key itself signed the checkpoint that names it.
 */
async function vouchedFor(
  change: Uint8Array,
  trusted: readonly VerifierKey[],
  id: number,
): Promise<VerifierKey | undefined> {
  const { text } = parseNote(change);
  const named = nextKeyOf(change);
  const [first] = trusted;
  if (
    named === undefined ||
    first === undefined ||
    named.id !== id ||
    named.name !== parseCheckpoint(text).origin
  )
    return undefined;
  const keys = [...trusted.filter(({ name }) => name === named.name), named];
  const signed = await verifyNote(parseNote(change), keys);
  return signed.length >= 2 && signed.some(({ key }) => key === named) ? named : undefined;
}

function nextKeyOf(change: Uint8Array): VerifierKey | undefined {
  const line = parseCheckpoint(parseNote(change).text).extensions.find((one) =>
    one.startsWith(NEXT_KEY),
  );
  return line === undefined ? undefined : parseVerifierKey(line.slice(NEXT_KEY.length));
}
