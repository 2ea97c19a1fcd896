import { encodeBase64 } from './base64.ts';
import { joinBytes } from './bytes.ts';
import { SEED_BYTES, openSeed } from './ed25519.ts';
import type { Sign } from './ed25519.ts';
import { LedgerError } from './ledger-error.ts';
import { formatVerifierKey, hexId, parseKeyParts, verifierKey, wrongId } from './note-key.ts';
import type { SignatureType, VerifierKey } from './note-key.ts';

/**
 * Signs under the name of its key. `sign` returns 64 bytes over exactly the message; it may use a
 * key service.
 */
export interface Signer {
  readonly key: VerifierKey;
  readonly sign: Sign;
}

const HEAD = 'PRIVATE+KEY+';

/**
 * Reads `PRIVATE+KEY+<name>+<id>+<base64 of type and seed>`, the format of Go's sumdb/note. The
 * text is secret and cannot be read from the result. `as`: signs under another name than the
 * text's, for one secret that signs several ledgers. Throws `INVALID_KEY`.
 */
export async function openSignerKey(text: string, as?: string): Promise<Signer> {
  if (!text.startsWith(HEAD))
    throw new LedgerError(
      'INVALID_KEY',
      `Expected a signer key, which begins with ${HEAD}, found another text; give the private key.`,
    );
  const { name, id, type, material } = parseKeyParts(text.slice(HEAD.length));
  const { key, sign } = await openSeededKey(name, material, type);
  if (hexId(key.id) !== id) throw wrongId();
  return { key: as === undefined ? key : verifierKey(as, type, key.publicKey), sign };
}

/**
 * Makes a key from a name and 32 random bytes of the caller. `signerKey` is secret, `verifierKey`
 * is public.
 */
export async function makeKey(
  name: string,
  seed: Uint8Array,
  type: SignatureType,
): Promise<{ readonly signerKey: string; readonly verifierKey: string }> {
  const { key } = await openSeededKey(name, seed, type);
  return {
    signerKey: `${HEAD}${name}+${hexId(key.id)}+${encodeBase64(joinBytes([Uint8Array.of(type), seed]))}`,
    verifierKey: formatVerifierKey(key),
  };
}

async function openSeededKey(name: string, seed: Uint8Array, type: SignatureType): Promise<Signer> {
  if (seed.length !== SEED_BYTES)
    throw new LedgerError(
      'INVALID_KEY',
      `Expected a seed of ${SEED_BYTES} bytes, found ${seed.length}; give an Ed25519 key.`,
    );
  const { publicKey, sign } = await openSeed(seed);
  return { key: verifierKey(name, type, publicKey), sign };
}
