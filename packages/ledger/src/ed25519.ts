import { decodeBase64 } from './base64.ts';
import { joinBytes } from './bytes.ts';
import { LedgerError } from './ledger-error.ts';

// WebCrypto, which both browsers and Node have (RFC 8032, "Ed25519").

export const PUBLIC_KEY_BYTES = 32;
export const SEED_BYTES = 32;
export const SIGNATURE_BYTES = 64;
/** PKCS#8 of RFC 8410 §7 up to the seed: WebCrypto does not import a bare seed. */
const PKCS8_HEAD = Uint8Array.of(
  0x30,
  0x2e,
  0x02,
  0x01,
  0x00,
  0x30,
  0x05,
  0x06,
  0x03,
  0x2b,
  0x65,
  0x70,
  0x04,
  0x22,
  0x04,
  0x20,
);

/** A signing function. The private key cannot be read from it. */
export type Sign = (message: Uint8Array) => Promise<Uint8Array>;

export async function verifyEd25519(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): Promise<boolean> {
  const subtle = webCrypto();
  const key = await subtle
    .importKey('raw', plain(publicKey), 'Ed25519', false, ['verify'])
    .catch((cause: unknown) => {
      throw refused(cause, 'public');
    });
  // A signature that is not 64 bytes long does not verify.
  return subtle.verify('Ed25519', key, plain(signature), plain(message));
}

/** Returns the public key and the signing function of a seed (RFC 8032 §5.1.5). */
export async function openSeed(
  seed: Uint8Array,
): Promise<{ readonly publicKey: Uint8Array; readonly sign: Sign }> {
  const subtle = webCrypto();
  const encoded = plain(joinBytes([PKCS8_HEAD, seed]));
  try {
    const { x = '' } = await subtle.exportKey(
      'jwk',
      await subtle.importKey('pkcs8', encoded, 'Ed25519', true, ['sign']),
    );
    const publicKey = decodeBase64(`${x.replaceAll('-', '+').replaceAll('_', '/')}=`);
    if (publicKey?.length !== PUBLIC_KEY_BYTES) throw new TypeError('no public key');
    const key = await subtle.importKey('pkcs8', encoded, 'Ed25519', false, ['sign']);
    return {
      publicKey,
      sign: async (message) => new Uint8Array(await subtle.sign('Ed25519', key, plain(message))),
    };
  } catch (cause) {
    throw refused(cause, 'private');
  } finally {
    encoded.fill(0);
  }
}

function webCrypto(): SubtleCrypto {
  // Browsers do not offer it to pages loaded over plain HTTP.
  const subtle: SubtleCrypto | undefined = (globalThis as { crypto?: Partial<Crypto> }).crypto
    ?.subtle;
  if (subtle === undefined) throw unavailable();
  return subtle;
}

/** WebCrypto does not accept a view of shared memory. */
function plain(bytes: Uint8Array): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

function refused(cause: unknown, which: 'public' | 'private'): LedgerError {
  if (cause instanceof Error && cause.name === 'NotSupportedError') return unavailable(cause);
  return new LedgerError(
    'INVALID_KEY',
    `Expected the bytes of an Ed25519 ${which} key, found others; give the key again.`,
  );
}

function unavailable(cause?: unknown): LedgerError {
  return new LedgerError(
    'CRYPTO_UNAVAILABLE',
    'Expected WebCrypto with Ed25519, found none; use Node 26 or a current browser, over HTTPS.',
    cause,
  );
}
