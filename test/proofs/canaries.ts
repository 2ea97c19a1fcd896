import { generateKeyPairSync, randomBytes } from 'node:crypto';

/** Something that must not be seen, and every spelling to look for it in. */
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

/** Random, so that nothing else can look like it. */
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

/** The secret part of a PKCS#8 RSA key: a line near its end holds primes, where the lines before repeat the public modulus. */
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

/** Who is seen where; empty: nobody. */
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

/** As it is, in hex, and in Base64 at each of the three places it can begin at. */
function spellingsOf(bytes: Buffer): readonly string[] {
  const base64 = [0, 1, 2].flatMap((before) => {
    const whole = Buffer.concat([Buffer.alloc(before), bytes]).toString('base64');
    // What stands before and after reaches into the first and the last groups.
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
