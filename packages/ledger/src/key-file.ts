import { LedgerError } from './ledger-error.ts';
import { NOTE_SIGNATURE, formatVerifierKey, parseVerifierKey, verifierKey } from './note-key.ts';
import type { VerifierKey } from './note-key.ts';
import { openSignerKey } from './signer.ts';
import type { Signer } from './signer.ts';

/** The content of a ledger's key file. `secrets` are secret. */
export interface KeyFile {
  /**
   * The generation of the ledger, from 1. A new generation begins when a key is lost or the log is
   * restored.
   */
  readonly generation: number;
  /** Signer keys, the newest last: one; two during a key change. */
  readonly secrets: readonly string[];
  /** Verifier keys that signed earlier and no longer sign, the oldest first. */
  readonly former: readonly string[];
}

/** The keys of one ledger, with its name. */
export interface LedgerKeys {
  readonly signer: Signer;
  /** The previous key, while both sign. */
  readonly cosigner?: Signer;
  readonly former: readonly VerifierKey[];
}

const GENERATION = /^generation ([2-9]|[1-9]\d{1,5})$/;
const SECRET = /^PRIVATE\+KEY\+[^\n]+$/;
const MOST_FORMER = 64;

/** The lines `generation <N>` (left out for 1), secrets, former keys. */
export function formatKeyFile({ generation, secrets, former }: KeyFile): string {
  const lines = [...(generation === 1 ? [] : [`generation ${generation}`]), ...secrets, ...former];
  return lines.map((line) => `${line}\n`).join('');
}

/** The inverse. Throws `INVALID_KEY`; the text is a secret, and no message repeats any of it. */
export function parseKeyFile(text: string): KeyFile {
  const lines = text
    .trim()
    .split('\n')
    .map((line) => line.trim());
  const generation = GENERATION.exec(lines[0] ?? '')?.[1];
  const keys = generation === undefined ? lines : lines.slice(1);
  const secrets = keys.filter((line) => SECRET.test(line));
  const former = keys.slice(secrets.length);
  const inOrder = former.every((line) => !SECRET.test(line));
  if (secrets.length < 1 || secrets.length > 2 || !inOrder || former.length > MOST_FORMER) {
    throw new LedgerError(
      'INVALID_KEY',
      `Expected a key file with one signer key (two while it is changed) and then at most ${MOST_FORMER} former verifier keys, a line each; found another form. Restore the file from a backup.`,
    );
  }
  for (const key of former)
    if (parseVerifierKey(key).type !== NOTE_SIGNATURE)
      throw new LedgerError(
        'INVALID_KEY',
        'Expected former keys of type 1 (Ed25519), found another type; restore the key file from a backup.',
      );
  return { generation: Number(generation ?? 1), secrets, former };
}

/**
 * Opens the keys under a ledger's name: one file serves the ledgers of all partitions. Throws
 * `INVALID_KEY`.
 */
export async function openLedgerKeys(
  { secrets, former }: KeyFile,
  name: string,
): Promise<LedgerKeys> {
  const [first = '', second] = secrets;
  const oldest = await openSignerKey(first, name);
  const before = former.map((text) =>
    verifierKey(name, NOTE_SIGNATURE, parseVerifierKey(text).publicKey),
  );
  return second === undefined
    ? { signer: oldest, former: before }
    : { signer: await openSignerKey(second, name), cosigner: oldest, former: before };
}

/** The file while a key is changed: the old key and the new one sign. */
export function withNextKey(file: KeyFile, secret: string): KeyFile {
  return { ...file, secrets: [...file.secrets.slice(-1), secret] };
}

/** The file after a key change: the new key signs, and the verifier key of the old one is kept. */
export async function withoutLastKey(file: KeyFile): Promise<KeyFile> {
  const [before, next] = file.secrets;
  if (before === undefined || next === undefined) return file;
  const { key } = await openSignerKey(before);
  return { ...file, secrets: [next], former: [...file.former, formatVerifierKey(key)] };
}

/** The one that signs first. */
export function verifierKeysOf({ signer, cosigner, former }: LedgerKeys): readonly VerifierKey[] {
  return [signer.key, ...(cosigner === undefined ? [] : [cosigner.key]), ...former.toReversed()];
}
