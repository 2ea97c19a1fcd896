import { parseCheckpoint } from './checkpoint.ts';
import { SIGNATURE_BYTES, verifyEd25519 } from './ed25519.ts';
import { LedgerError } from './ledger-error.ts';
import { COSIGNATURE } from './note-key.ts';
import type { VerifierKey } from './note-key.ts';
import { encodeNoteText } from './note-text.ts';
import type { NoteSignature } from './signed-note.ts';
import type { Signer } from './signer.ts';

const TIME_BYTES = 8;

/**
 * A witness states that this is the largest tree of this ledger that it has seen at `time` (POSIX
 * seconds), and that it is consistent with all earlier ones. Verify that first, and never cosign
 * two inconsistent ones. Throws `INVALID_KEY`, `INVALID_CHECKPOINT`.
 */
export async function cosign(
  checkpointText: string,
  signer: Signer,
  time: number,
): Promise<NoteSignature> {
  if (signer.key.type !== COSIGNATURE)
    throw new LedgerError(
      'INVALID_KEY',
      'Expected a key of type 4 (cosignature/v1), found another; a witness signs with a key of its own.',
    );
  if (!Number.isSafeInteger(time) || time < 0)
    throw new LedgerError(
      'INVALID_CHECKPOINT',
      'Expected the time in whole seconds since 1970, found another value; nothing was signed.',
    );
  parseCheckpoint(checkpointText);
  const signed = await signer.sign(message(checkpointText, time));
  const signature = new Uint8Array(TIME_BYTES + signed.length);
  new DataView(signature.buffer).setBigUint64(0, BigInt(time));
  signature.set(signed, TIME_BYTES);
  return { name: signer.key.name, keyId: signer.key.id, signature };
}

/**
 * The time at which the witness signed; `undefined`: the signature is not valid. Throws only for an
 * invalid key.
 */
export async function verifyCosignature(
  checkpointText: string,
  key: VerifierKey,
  signature: Uint8Array,
): Promise<number | undefined> {
  if (signature.length !== TIME_BYTES + SIGNATURE_BYTES) return undefined;
  const time = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0);
  // tlog-cosignature allows 2^63 - 1, but no clock shows 2^53 seconds.
  if (time > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  const verified = await verifyEd25519(
    key.publicKey,
    message(checkpointText, Number(time)),
    signature.subarray(TIME_BYTES),
  );
  return verified ? Number(time) : undefined;
}

/** The first line prevents a cosignature from being used as another signature of the key. */
function message(checkpointText: string, time: number): Uint8Array {
  return encodeNoteText(`cosignature/v1\ntime ${time}\n${checkpointText}`);
}
