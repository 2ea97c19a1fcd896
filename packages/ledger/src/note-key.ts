import { sha256 } from '@noble/hashes/sha2.js';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { joinBytes } from './bytes.ts';
import { PUBLIC_KEY_BYTES } from './ed25519.ts';
import { LedgerError } from './ledger-error.ts';
import { encodeNoteText, isNoteLine } from './note-text.ts';

/**
 * signed-note, "Signature types": a note's own signature, and a witness's timestamped one of a
 * checkpoint.
 */
export const NOTE_SIGNATURE = 0x01;
export const COSIGNATURE = 0x04;
export type SignatureType = typeof NOTE_SIGNATURE | typeof COSIGNATURE;

/** A signer as a verifier knows it. Name and id together identify a key. */
export interface VerifierKey {
  readonly name: string;
  readonly id: number;
  readonly type: SignatureType;
  readonly publicKey: Uint8Array;
}

export function isKeyName(name: string): boolean {
  return isNoteLine(name) && !/[+\p{White_Space}]/u.test(name);
}

/** The first four bytes of SHA-256(name, newline, type, public key), big-endian. */
export function keyId(name: string, type: SignatureType, publicKey: Uint8Array): number {
  const digest = sha256(joinBytes([encodeNoteText(`${name}\n`), Uint8Array.of(type), publicKey]));
  return new DataView(digest.buffer, digest.byteOffset).getUint32(0);
}

export function verifierKey(name: string, type: SignatureType, publicKey: Uint8Array): VerifierKey {
  if (!isKeyName(name))
    throw new LedgerError(
      'INVALID_KEY',
      'Expected a key name without spaces, control characters and +, found another; name it like a URL without its scheme.',
    );
  if (publicKey.length !== PUBLIC_KEY_BYTES)
    throw new LedgerError(
      'INVALID_KEY',
      `Expected a public key of ${PUBLIC_KEY_BYTES} bytes, found ${publicKey.length}; give an Ed25519 key.`,
    );
  return { name, id: keyId(name, type, publicKey), type, publicKey };
}

/** `<name>+<id in hex>+<base64 of type and public key>`. */
export function formatVerifierKey({ name, id, type, publicKey }: VerifierKey): string {
  return `${name}+${hexId(id)}+${encodeBase64(joinBytes([Uint8Array.of(type), publicKey]))}`;
}

/**
 * The inverse. Throws `INVALID_KEY`, also if the id is not the key's, and for all types except
 * Ed25519 notes and cosignatures.
 */
export function parseVerifierKey(text: string): VerifierKey {
  const { name, id, type, material } = parseKeyParts(text);
  const key = verifierKey(name, type, material);
  if (hexId(key.id) !== id) throw wrongId();
  return key;
}

/**
 * The common parts of verifier keys and signer keys: name, id, and the type before the key's bytes.
 * The text may be a secret: no message repeats any of it.
 */
export function parseKeyParts(text: string): {
  name: string;
  id: string;
  type: SignatureType;
  material: Uint8Array;
} {
  const [name = '', id = '', ...rest] = text.split('+');
  // Base64 may contain +.
  const [type, ...material] = decodeBase64(rest.join('+')) ?? [];
  if (!isKeyName(name) || !/^[0-9a-f]{8}$/.test(id) || type === undefined) {
    throw new LedgerError(
      'INVALID_KEY',
      'Expected <name>+<8 hex digits>+<base64>, found another form; copy the whole key, without spaces or line ends.',
    );
  }
  if (type !== NOTE_SIGNATURE && type !== COSIGNATURE)
    throw new LedgerError(
      'INVALID_KEY',
      'Expected signature type 1 (Ed25519) or 4 (cosignature/v1), found another; use a key of one of these.',
    );
  return { name, id, type, material: Uint8Array.from(material) };
}

export function hexId(id: number): string {
  return id.toString(16).padStart(8, '0');
}

export function wrongId(): LedgerError {
  return new LedgerError(
    'INVALID_KEY',
    'Expected the id that name and key have, found another; copy the whole key again.',
  );
}
