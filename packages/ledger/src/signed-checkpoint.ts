import { sameBytes } from './bytes.ts';
import { formatCheckpoint, parseCheckpoint } from './checkpoint.ts';
import type { Checkpoint } from './checkpoint.ts';
import { LedgerError } from './ledger-error.ts';
import { COSIGNATURE, NOTE_SIGNATURE } from './note-key.ts';
import type { VerifierKey } from './note-key.ts';
import { signNote, verifyNote } from './note-signature.ts';
import { formatNote, parseNote } from './signed-note.ts';
import type { Signer } from './signer.ts';

/**
 * The keys that a verifier trusts. They come from its configuration, never from the data to verify.
 */
export interface Trust {
  /** The ledger's name in its checkpoints; absent: the name of the first key. */
  readonly origin?: string;
  /** The ledger's keys (type 1). One signature is enough, so that keys can be changed. */
  readonly keys: readonly VerifierKey[];
  /** Witnesses' keys (type 4), and the number of them that must have cosigned. */
  readonly witnesses?: { readonly keys: readonly VerifierKey[]; readonly quorum: number };
}

export interface OpenedCheckpoint {
  readonly checkpoint: Checkpoint;
  /**
   * The known witnesses that cosigned, each with its time (POSIX seconds, as the witness states
   * it).
   */
  readonly cosignatures: readonly { readonly witness: string; readonly time: number }[];
}

/**
 * The content of the file `checkpoint`, signed by each of the keys in order. Never sign two
 * inconsistent ones: persist before publishing, and publish after the tiles.
 */
export async function signCheckpoint(
  checkpoint: Checkpoint,
  ...signers: readonly [Signer, ...Signer[]]
): Promise<Uint8Array> {
  const text = formatCheckpoint(checkpoint);
  return formatNote({
    text,
    signatures: await Promise.all(signers.map((signer) => signNote(text, signer))),
  });
}

/**
 * Reads a checkpoint that the ledger signed and enough witnesses cosigned. Throws `INVALID_NOTE`,
 * `INVALID_CHECKPOINT`, `ORIGIN_MISMATCH`, `KEY_UNKNOWN`, `SIGNATURE_INVALID`, `QUORUM_MISSED`;
 * `INVALID_TRUST` if the trust could never be met, or could be met without the ledger.
 */
export async function openCheckpoint(bytes: Uint8Array, trust: Trust): Promise<OpenedCheckpoint> {
  const { origin, witnesses, quorum } = checkTrust(trust);
  const note = parseNote(bytes);
  const signatures = await verifyNote(note, [...trust.keys, ...witnesses]);
  if (!signatures.some(({ key }) => key.type === NOTE_SIGNATURE))
    throw new LedgerError(
      'KEY_UNKNOWN',
      "Expected a signature of the ledger's key, found only witnesses'; do not trust this checkpoint.",
    );
  const checkpoint = parseCheckpoint(note.text);
  if (checkpoint.origin !== origin)
    throw new LedgerError(
      'ORIGIN_MISMATCH',
      'Expected the checkpoint of the trusted origin, found one of another ledger; ask the ledger that is meant.',
    );
  const cosignatures = signatures.flatMap(({ key, time }) =>
    time === undefined ? [] : [{ witness: key.name, time }],
  );
  if (cosignatures.length < quorum)
    throw new LedgerError(
      'QUORUM_MISSED',
      `Expected cosignatures of ${quorum} known witnesses, found ${cosignatures.length}; get a checkpoint with more of them.`,
    );
  return { checkpoint, cosignatures };
}

function checkTrust({ origin, keys, witnesses }: Trust): {
  origin: string;
  witnesses: readonly VerifierKey[];
  quorum: number;
} {
  const [first] = keys;
  if (first === undefined || keys.some(({ type }) => type !== NOTE_SIGNATURE))
    throw untrusted('at least one ledger key, each of type 1');
  if (witnesses === undefined) return { origin: origin ?? first.name, witnesses: [], quorum: 0 };
  const { keys: cosigners, quorum } = witnesses;
  if (cosigners.some(({ type }) => type !== COSIGNATURE)) throw untrusted('witness keys of type 4');
  // cosignature/v1 does not contain the witness's name, so one key under two names would count
  // twice.
  const twice = cosigners.some((key, at) =>
    cosigners.some((other, after) => after > at && sameBytes(key.publicKey, other.publicKey)),
  );
  if (twice) throw untrusted('every witness with a public key of its own');
  if (!Number.isSafeInteger(quorum) || quorum < 1 || quorum > cosigners.length)
    throw untrusted('a quorum of 1 up to the number of witnesses');
  return { origin: origin ?? first.name, witnesses: cosigners, quorum };
}

function untrusted(expected: string): LedgerError {
  return new LedgerError(
    'INVALID_TRUST',
    `Expected ${expected}, found others; correct the verifier's configuration.`,
  );
}
