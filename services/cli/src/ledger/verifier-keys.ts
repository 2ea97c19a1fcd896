import { LedgerError, NOTE_SIGNATURE, parseNote, parseVerifierKey } from '@residency/ledger';
import type { Trust, VerifierKey } from '@residency/ledger';
import { usage } from '../terminal/cli-error.ts';

/** The verifier keys that `--key` names. Throws `USAGE`. */
export function parseVerifierKeys(texts: readonly string[]): readonly VerifierKey[] {
  return texts.map((text) => {
    const key = parsed(text.trim());
    if (key.type !== NOTE_SIGNATURE)
      throw usage(
        "Expected --key with a ledger's key, found a witness's; `residency audit key show` prints the ledger's.",
      );
    return key;
  });
}

function parsed(text: string): VerifierKey {
  try {
    return parseVerifierKey(text);
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    throw usage(`Expected --key with a verifier key: ${error.message}`);
  }
}

/**
 * The keys to open a checkpoint with. A ledger's key has the ledger's name, and a checkpoint begins
 * with that name: these are the keys of that name. If there are none, all keys, so that opening
 * reports what is wrong. `undefined`: no key was given.
 */
export function trustIn(
  keys: readonly VerifierKey[],
  checkpoint: Uint8Array | undefined,
): Trust | undefined {
  if (keys.length === 0) return undefined;
  const origin = checkpoint === undefined ? undefined : originOf(checkpoint);
  const named = keys.filter(({ name }) => name === origin);
  return { keys: named.length > 0 ? named : keys };
}

/** As it says; verified by nobody yet. `undefined`: it is no checkpoint. */
export function originOf(checkpoint: Uint8Array): string | undefined {
  try {
    return parseNote(checkpoint).text.split('\n')[0];
  } catch {
    return undefined;
  }
}
