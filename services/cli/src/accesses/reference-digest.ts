import { referenceDigestOf } from '@residency/vault';
import { usage } from '../terminal/cli-error.ts';
import { readNamed } from '../terminal/read-named.ts';

/**
 * The keyed digest under which events have a reference (docs/formats/custody.md). Throws
 * `FILE_UNREADABLE`, and `USAGE` without repeating the key or the reference.
 */
export async function referenceDigest(reference: string, keyFile: string): Promise<string> {
  const digest = referenceDigestOf(
    (await readNamed(keyFile, 'the key of references')).toString('latin1'),
  );
  if (digest === undefined)
    throw usage(
      "Expected --reference-key to be a file with 64 lower-case hex digits, found something else; name the vault's reference-key.",
    );
  return digest(reference);
}
