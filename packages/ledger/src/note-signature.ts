import { verifyCosignature } from './cosignature.ts';
import { verifyEd25519 } from './ed25519.ts';
import { LedgerError } from './ledger-error.ts';
import { COSIGNATURE, NOTE_SIGNATURE, hexId } from './note-key.ts';
import type { VerifierKey } from './note-key.ts';
import { encodeNoteText, isNoteText } from './note-text.ts';
import type { NoteSignature, SignedNote } from './signed-note.ts';
import type { Signer } from './signer.ts';

/** A key whose signature of the note was verified. For a cosignature, also the time. */
export interface VerifiedSignature {
  readonly key: VerifierKey;
  readonly time?: number;
}

/** Signs a note's text with a key of type 1. */
export async function signNote(text: string, signer: Signer): Promise<NoteSignature> {
  if (signer.key.type !== NOTE_SIGNATURE)
    throw new LedgerError(
      'INVALID_KEY',
      "Expected a key of type 1 (Ed25519), found another; sign a note with the ledger's key, not with a witness's.",
    );
  if (!text.endsWith('\n') || !isNoteText(text))
    throw new LedgerError(
      'INVALID_NOTE',
      'Expected a text that ends with a newline and has no control character, found another; nothing was signed.',
    );
  return {
    name: signer.key.name,
    keyId: signer.key.id,
    signature: await signer.sign(encodeNoteText(text)),
  };
}

/**
 * Verifies every signature of a known key and ignores the others (signed-note, "Signatures").
 * Returns each key that signed, once. Throws `SIGNATURE_INVALID` if any signature of a known key
 * fails, even if others verify. Throws `KEY_UNKNOWN` if no key is known. Throws `INVALID_TRUST` for
 * two different known keys of the same name and id.
 */
export async function verifyNote(
  { text, signatures }: SignedNote,
  known: readonly VerifierKey[],
): Promise<VerifiedSignature[]> {
  const keys = new Map<string, VerifierKey>();
  for (const key of known) {
    if (keys.has(nameOf(key.name, key.id)))
      throw new LedgerError(
        'INVALID_TRUST',
        'Expected each known key once, found one name and id twice; leave one out.',
      );
    keys.set(nameOf(key.name, key.id), key);
  }
  const verified = new Map<VerifierKey, VerifiedSignature>();
  for (const { name, keyId, signature } of signatures) {
    const key = keys.get(nameOf(name, keyId));
    if (key === undefined) continue;
    const found = await verifySignature(text, key, signature);
    if (found === undefined)
      throw new LedgerError(
        'SIGNATURE_INVALID',
        'Expected every signature of a known key to be its own, found one that is not; do not trust this note.',
      );
    if (!verified.has(key)) verified.set(key, found);
  }
  if (verified.size === 0)
    throw new LedgerError(
      'KEY_UNKNOWN',
      "Expected a signature of a known key, found none; get the verifier key from the ledger's operator, not from the note.",
    );
  return [...verified.values()];
}

async function verifySignature(
  text: string,
  key: VerifierKey,
  signature: Uint8Array,
): Promise<VerifiedSignature | undefined> {
  if (key.type === COSIGNATURE) {
    const time = await verifyCosignature(text, key, signature);
    return time === undefined ? undefined : { key, time };
  }
  return (await verifyEd25519(key.publicKey, encodeNoteText(text), signature))
    ? { key }
    : undefined;
}

function nameOf(name: string, id: number): string {
  return `${name}+${hexId(id)}`;
}
