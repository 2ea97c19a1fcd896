import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { Tokens } from '../src/index.ts';
import type { Token } from '../src/index.ts';
import { SCOPES, Shelf } from './shelf.ts';

const ANNA = 'anna-token-0123456789-abcdefghijkl';
const OTHER = 'other-token-0123456789-abcdefghijk';
const digest = (token: string): string => createHash('sha256').update(token).digest('hex');
const bearer = (token: string): string => `Bearer ${token}`;

type ShelfToken = Token<(typeof SCOPES)[number]>;
const tokensOf = (...tokens: readonly ShelfToken[]): Tokens<(typeof SCOPES)[number]> =>
  new Tokens({ service: 'shelf', scopes: SCOPES, tokens });

describe('the principal', () => {
  const tokens = tokensOf(
    { sha256: digest(ANNA), scopes: ['read'], principal: 'anna@cert.example' },
    { token: OTHER, scopes: ['read', 'write'] },
  );

  it('is that of the matching token', () => {
    expect(tokens.principal(bearer(ANNA))).toBe('anna@cert.example');
    expect([...tokens.scopes(bearer(ANNA))]).toEqual(['read']);
  });

  it('is undefined for a token that names nobody, and without tokens', () => {
    expect(tokens.principal(bearer(OTHER))).toBeUndefined();
    expect(tokensOf().principal(undefined)).toBeUndefined();
  });

  it('is refused to strangers', () => {
    for (const authorization of [undefined, `Basic ${ANNA}`, bearer(digest(ANNA))])
      expect(() => tokens.principal(authorization)).toThrow(
        "Ask the shelf's operator for a token.",
      );
  });

  it('reaches a route', async () => {
    const shelf = await new Shelf().start({
      tokens: [
        { token: ANNA, scopes: ['read'], principal: 'anna' },
        { token: OTHER, scopes: ['write'] },
      ],
    });
    const ask = (token: string) => shelf.ask('/who', { headers: { authorization: bearer(token) } });
    expect((await ask(ANNA)).body).toEqual({ principal: 'anna' });
    const refused = await ask(OTHER);
    expect([refused.status, refused.headers.get('www-authenticate')]).toEqual([
      403,
      'Bearer error="insufficient_scope", scope="read"',
    ]);
  });
});

it('a token that is configured twice has the scopes of both', () => {
  const tokens = tokensOf(
    { token: ANNA, scopes: ['read'] },
    { sha256: digest(ANNA), scopes: ['write'] },
  );
  expect([...tokens.scopes(bearer(ANNA))]).toEqual(['read', 'write']);
});

it.for([
  [[{ token: 'short', scopes: ['read'] }]],
  [[{ token: ANNA, scopes: [] }]],
  [[{ sha256: ANNA, scopes: ['read'] }]],
  [[{ token: ANNA, scopes: ['admin' as 'read'] }]],
  [[{ token: ANNA, scopes: ['read'], principal: '' }]],
  [[{ token: ANNA, scopes: ['read'], principal: 'anna\n' }]],
  [[{ token: ANNA, scopes: ['read'], principal: 'a'.repeat(129) }]],
  [
    [
      { token: ANNA, scopes: ['read'], principal: 'anna' },
      { sha256: digest(ANNA), scopes: ['write'] },
    ],
  ],
] satisfies [ShelfToken[]][])('refuses the configuration %j and does not repeat it', ([tokens]) => {
  let error: unknown;
  try {
    tokensOf(...tokens);
  } catch (thrown) {
    error = thrown;
  }
  expect(error).toMatchObject({
    code: 'INVALID_TOKEN',
    remedy: 'stop',
    message: expect.not.stringMatching(/anna|admin/),
  });
});
