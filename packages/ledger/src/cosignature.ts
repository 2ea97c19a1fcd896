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
 * A witness's statement that this is the largest tree it has seen of this ledger at `time` (POSIX seconds), consistent with
 * all before: verify that first, and never cosign two that are not. Throws `INVALID_KEY`, `INVALID_CHECKPOINT`.
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

/** When the witness signed; `undefined` where the signature is not its. Throws only for a key that is none. */
export async function verifyCosignature(
  checkpointText: string,
  key: VerifierKey,
  signature: Uint8Array,
): Promise<number | undefined> {
  if (signature.length !== TIME_BYTES + SIGNATURE_BYTES) return undefined;
  const time = new DataView(signature.buffer, signature.byteOffset).getBigUint64(0);
  // tlog-cosignature allows 2^63 - 1; no clock says 2^53 seconds.
  if (time > BigInt(Number.MAX_SAFE_INTEGER)) return undefined;
  const verified = await verifyEd25519(
    key.publicKey,
    message(checkpointText, Number(time)),
    signature.subarray(TIME_BYTES),
  );
  return verified ? Number(time) : undefined;
}

/** The first line keeps a cosignature from being passed off as any other signature of the key. */
function message(checkpointText: string, time: number): Uint8Array {
  return encodeNoteText(`cosignature/v1\ntime ${time}\n${checkpointText}`);
}
