import { generateKeyPairSync, randomBytes } from 'node:crypto';

/** A text that must not appear, and every encoding to search for. */
export interface Canary {
  readonly name: string;
  readonly text: string;
  readonly spellings: readonly Buffer[];
}

export interface Haystack {
  readonly name: string;
  readonly bytes: Buffer;
}

export function canary(name: string, text: string): Canary {
  return {
    name,
    text,
    spellings: spellingsOf(Buffer.from(text)).map((spelling) => Buffer.from(spelling)),
  };
}

/** Random, so that no other text equals it. */
export function randomCanary(name: string): Canary {
  return canary(name, `canary-${name}-${randomBytes(12).toString('hex')}`);
}

/** A private key in PEM. */
export function somePrivateKey(): string {
  return generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  }).privateKey;
}

/**
 * The secret part of a PKCS#8 RSA key: a line near its end with parts of the primes. Earlier lines
 * repeat the public modulus.
 */
export function keyCanary(name: string, pem: string): Canary {
  const line = pem
    .split('\n')
    .filter((text) => /^[A-Za-z0-9+/]{64}$/.test(text))
    .at(-4);
  if (line === undefined) throw new RangeError('Expected a private key in PEM.');
  const text = canary(name, line);
  return {
    ...text,
    spellings: [
      ...text.spellings,
      Buffer.from(line, 'base64'),
      Buffer.from(Buffer.from(line, 'base64').toString('hex')),
    ],
  };
}

/** The canaries that appear, with the place of each; empty: none. */
export function seen(
  canaries: readonly Canary[],
  haystacks: readonly Haystack[],
): readonly string[] {
  return haystacks.flatMap(({ name, bytes }) =>
    canaries
      .filter(({ spellings }) => spellings.some((spelling) => bytes.includes(spelling)))
      .map((found) => `${found.name} in ${name}`),
  );
}

/** Plain, in hex, and in Base64 at each of its three alignments. */
function spellingsOf(bytes: Buffer): readonly string[] {
  const base64 = [0, 1, 2].flatMap((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    // The bytes before and after it affect the first and the last Base64 groups.
    const inner = whole.slice(before === 0 ? 0 : 4, whole.length - 4);
    return [inner, inner.replaceAll('+', '-').replaceAll('/', '_')];
  });
  const hex = bytes.toString('hex');
  return [
    bytes.toString(),
    encodeURIComponent(bytes.toString()),
    hex,
    hex.toUpperCase(),
    ...base64,
  ];
}
