import { LedgerError, NOTE_SIGNATURE, parseNote, parseVerifierKey } from '@residency/ledger';
import type { Trust, VerifierKey } from '@residency/ledger';
import { InvalidArgumentError } from 'commander';

/** For `--key`, which may be said several times: each ledger has a name, and its key is under that name. */
export function parseVerifierKeys(
  text: string,
  earlier: readonly VerifierKey[] = [],
): readonly VerifierKey[] {
  let key: VerifierKey;
  try {
    key = parseVerifierKey(text.trim());
  } catch (error) {
    if (!(error instanceof LedgerError)) throw error;
    throw new InvalidArgumentError(error.message);
  }
  if (key.type !== NOTE_SIGNATURE)
    throw new InvalidArgumentError("Expected a ledger's key, found a witness's.");
  return [...earlier, key];
}

/**
 * Those of the keys that a checkpoint is to be opened with: the ones under the name it gives itself, and that name is theirs. None of
 * them: all, so that opening says what is wrong. `undefined`: nobody says whom to trust.
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

/** As it says; verified by nobody yet. */
function originOf(checkpoint: Uint8Array): string | undefined {
  try {
    return parseNote(checkpoint).text.split('\n')[0];
  } catch {
    return undefined;
  }
}
