import { createHash } from 'node:crypto';
import { CompactSign, SignJWT, UnsecuredJWT, exportJWK, exportSPKI, generateKeyPair } from 'jose';
import type { CryptoKey } from 'jose';
import { beforeAll, describe, expect, test } from 'vitest';
import { Jwks } from '../src/vault/jwks.ts';
import { OidcAskers } from '../src/vault/oidc-askers.ts';
import { readOidcSettings } from '../src/vault/oidc-settings.ts';

const ISSUER = 'https://issuer.example';
const AUDIENCE = 'vault';
const NOW = Date.UTC(2026, 0, 1);
const SECONDS = NOW / 1_000;

interface Pair {
  readonly privateKey: CryptoKey;
  readonly publicKey: CryptoKey;
}
let ours: Pair;
let theirs: Pair;
let document: { readonly keys: readonly object[] };

beforeAll(async () => {
  ours = await generateKeyPair('RS256', { extractable: true });
  theirs = await generateKeyPair('RS256', { extractable: true });
  document = { keys: [{ ...(await exportJWK(ours.publicKey)), kid: 'one', alg: 'RS256' }] };
});

function settingsOf(more: object = {}) {
  const settings = readOidcSettings(
    JSON.stringify({
      issuer: ISSUER,
      audience: AUDIENCE,
      jwksUrl: 'https://issuer.example/keys',
      ...more,
    }),
  );
  if (settings === undefined) throw new TypeError('no settings');
  return settings;
}

class World {
  elapsed = 0;
  reads = 0;
  down = false;
  published: unknown = document;
  readonly askers: OidcAskers;

  constructor(more: object = {}) {
    const settings = settingsOf(more);
    this.askers = new OidcAskers({
      settings,
      jwks: new Jwks({
        read: async () => {
          this.reads += 1;
          if (this.down) throw new Error('down');
          return this.published;
        },
        lastMs: settings.keysLastSeconds * 1_000,
        elapsed: () => this.elapsed,
      }),
      digest: (text) => createHash('sha256').update(`key ${text}`).digest('hex'),
      now: () => NOW,
    });
  }

  async code(token: string): Promise<string> {
    try {
      await this.askers.of(token);
      return 'accepted';
    } catch (error) {
      if (error instanceof Error && 'init' in error) return (error.init as { code: string }).code;
      return error instanceof Error && 'code' in error ? String(error.code) : 'other';
    }
  }
}

interface Claims {
  readonly [name: string]: unknown;
}

const claims = (more: Claims = {}): Claims => ({
  iss: ISSUER,
  aud: AUDIENCE,
  sub: 'user 4711',
  exp: SECONDS + 300,
  iat: SECONDS,
  groups: ['analysts', 7, 'leads'],
  ...more,
});

async function signed(payload: Claims, key = ours.privateKey, kid = 'one'): Promise<string> {
  return await new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid }).sign(key);
}

test('a token of the issuer names a pseudonym that does not tell whose it is, and groups', async () => {
  const world = new World();
  const found = await world.askers.of(await signed(claims()));
  expect(found).toEqual({
    principal: expect.stringMatching(/^o-[0-9a-f]{32}$/),
    groups: ['analysts', 'leads'],
  });
  expect(await world.askers.of(await signed(claims({ jti: 'another' })))).toEqual(found);
  expect((await world.askers.of(await signed(claims({ sub: 'another' })))).principal).not.toBe(
    found.principal,
  );
  for (const groups of ['analysts', { 0: 'analysts' }, undefined, null])
    expect((await world.askers.of(await signed(claims({ groups })))).groups).toEqual([]);
  const roles = new World({ groupsClaim: 'roles' });
  expect((await roles.askers.of(await signed(claims({ roles: ['leads'] })))).groups).toEqual([
    'leads',
  ]);
});

describe('a token is refused', () => {
  test.each<[string, () => Promise<string>, string]>([
    ['whose time is over', () => signed(claims({ exp: SECONDS - 61 })), 'TOKEN_EXPIRED'],
    ['that is not valid yet', () => signed(claims({ nbf: SECONDS + 61 })), 'TOKEN_INVALID'],
    ['of another issuer', () => signed(claims({ iss: 'https://other.example' })), 'TOKEN_INVALID'],
    ['for another audience', () => signed(claims({ aud: 'mail' })), 'TOKEN_INVALID'],
    ['without a time', () => signed(claims({ exp: undefined })), 'TOKEN_INVALID'],
    ['without a subject', () => signed(claims({ sub: undefined })), 'TOKEN_INVALID'],
    ['with an empty subject', () => signed(claims({ sub: '' })), 'TOKEN_INVALID'],
    ['signed by another key', () => signed(claims(), theirs.privateKey), 'TOKEN_INVALID'],
    [
      'that names an unknown key',
      () => signed(claims(), theirs.privateKey, 'two'),
      'TOKEN_INVALID',
    ],
    ['without a signature', async () => new UnsecuredJWT(claims()).encode(), 'TOKEN_INVALID'],
    [
      'signed with the public key as a secret',
      async () =>
        await new SignJWT(claims())
          .setProtectedHeader({ alg: 'HS256', kid: 'one' })
          .sign(new TextEncoder().encode(await exportSPKI(ours.publicKey))),
      'TOKEN_INVALID',
    ],
    [
      'by an algorithm that is not configured',
      async () =>
        await new SignJWT(claims())
          .setProtectedHeader({ alg: 'RS512', kid: 'one' })
          .sign((await generateKeyPair('RS512')).privateKey),
      'TOKEN_INVALID',
    ],
    [
      'with a header that must be understood',
      async () =>
        await new CompactSign(new TextEncoder().encode(JSON.stringify(claims())))
          .setProtectedHeader({ alg: 'RS256', kid: 'one', crit: ['urn:new'], 'urn:new': true })
          .sign(ours.privateKey, { crit: { 'urn:new': true } }),
      'TOKEN_INVALID',
    ],
    [
      'whose content was changed',
      async () => {
        const [head, , signature] = (await signed(claims())).split('.');
        const other = Buffer.from(JSON.stringify(claims({ sub: 'root' }))).toString('base64url');
        return [head, other, signature].join('.');
      },
      'TOKEN_INVALID',
    ],
    ['that is none', async () => 'eyJhbGciOiJSUzI1NiJ9.e30.', 'TOKEN_INVALID'],
  ])('%s', async (_, make, code) => {
    expect(await new World().code(await make())).toBe(code);
  });
});

test('clocks may differ as far as configured, and no further', async () => {
  const world = new World({ clockToleranceSeconds: 10 });
  expect(await world.code(await signed(claims({ exp: SECONDS - 9 })))).toBe('accepted');
  expect(await world.code(await signed(claims({ exp: SECONDS - 10 })))).toBe('TOKEN_EXPIRED');
  expect(await world.code(await signed(claims({ nbf: SECONDS + 10 })))).toBe('accepted');
  expect(await world.code(await signed(claims({ nbf: SECONDS + 11 })))).toBe('TOKEN_INVALID');
});

test('while the issuer does not answer, known keys are used for the stated time, and then none', async () => {
  const world = new World({ keysLastSeconds: 3_600 });
  world.down = true;
  const token = await signed(claims());
  expect(await world.code(token)).toBe('ISSUER_UNREACHABLE');
  world.down = false;
  // It is asked again after half a minute.
  expect(await world.code(token)).toBe('ISSUER_UNREACHABLE');
  world.elapsed = 30_000;
  expect(await world.code(token)).toBe('accepted');
  world.down = true;
  world.elapsed = 30_000 + 3_600_000;
  expect(await world.code(token)).toBe('accepted');
  world.elapsed += 30_001;
  expect(await world.code(token)).toBe('ISSUER_UNREACHABLE');
  world.down = false;
  world.elapsed += 30_000;
  expect(await world.code(token)).toBe('accepted');
});

test('a new key is found, one that was removed is not used for long, and strangers cannot have the issuer asked for each of theirs', async () => {
  const world = new World();
  expect(await world.code(await signed(claims()))).toBe('accepted');
  expect(world.reads).toBe(1);
  for (let nth = 0; nth < 100; nth += 1)
    expect(await world.code(await signed(claims(), theirs.privateKey, `${nth}`))).toBe(
      'TOKEN_INVALID',
    );
  expect(world.reads).toBe(1);
  world.published = {
    keys: [{ ...(await exportJWK(theirs.publicKey)), kid: 'two', alg: 'RS256' }],
  };
  world.elapsed = 30_000;
  expect(await world.code(await signed(claims(), theirs.privateKey, 'two'))).toBe('accepted');
  expect(world.reads).toBe(2);
  world.elapsed += 300_001;
  expect(await world.code(await signed(claims()))).toBe('TOKEN_INVALID');
});

test.each([
  ['no issuer', { issuer: '' }],
  ['an open line', { jwksUrl: 'http://issuer.example/keys' }],
  ['both a URL and a file', { jwksFile: 'keys.json' }],
  ['a path out of the folder', { jwksUrl: undefined, jwksFile: '../keys.json' }],
  ['neither URL nor file', { jwksUrl: undefined }],
  ['a secret-key algorithm', { algorithms: ['HS256'] }],
  ['no algorithm', { algorithms: ['none'] }],
  ['a tolerance of an hour', { clockToleranceSeconds: 3_600 }],
  ['another member', { allow: 'all' }],
])('settings with %s are none', (_, more) => {
  const base = { issuer: ISSUER, audience: AUDIENCE, jwksUrl: 'https://issuer.example/keys' };
  expect(readOidcSettings(JSON.stringify({ ...base, ...more }))).toBeUndefined();
});

test('keys may come from this machine over an open line', () => {
  expect(settingsOf({ jwksUrl: 'http://127.0.0.1:9000/keys' }).jwksUrl).toBeDefined();
});
