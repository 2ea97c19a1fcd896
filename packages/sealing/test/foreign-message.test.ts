import { MultiKeyringNode } from '@aws-crypto/client-node';
import { describe, expect, it } from 'vitest';
import { openSealed, readSealedHeader } from '../src/index.ts';
import type { SealingErrorCode } from '../src/index.ts';
import {
  CANARY,
  boundValues,
  contextOf,
  foreignMessage,
  moscowKey,
  newerKey,
  olderKey,
  refusal,
  sealTo,
  sha256,
  vector,
  zurichKeys,
  held,
} from './fixtures.ts';
import { rawRsa } from './sdk.ts';

// Whoever holds a region's public key can make these with the SDK itself: nothing in them is what a
// router would seal.
const asMoscow = { id: moscowKey.id, privateKeyPem: moscowKey.privateKeyPem };

describe('a sample sealed for one region', () => {
  it('is not opened for another, not even with the right key', async () => {
    const { message, region } = { message: vector('text').message, region: 'moscow' };
    await expect(refusal(() => openSealed(message, region, held([asMoscow])))).resolves.toBe(
      'WRONG_REGION',
    );
    await expect(refusal(() => openSealed(message, region, held(zurichKeys)))).resolves.toBe(
      'WRONG_REGION',
    );
  });

  it.each([
    ["bound to zurich, wrapped to moscow's key in moscow's name", 'residency/moscow', moscowKey],
    [
      "bound to zurich, wrapped to moscow's key under zurich's key id",
      'residency/moscow',
      { id: newerKey.id, publicKeyPem: moscowKey.publicKeyPem },
    ],
    ["bound to zurich, wrapped to zurich's key in moscow's name", 'residency/moscow', newerKey],
  ])('is refused when %s', async (_what, namespace, key) => {
    const message = await foreignMessage({ to: rawRsa(namespace, key) });
    await expect(refusal(() => readSealedHeader(message))).resolves.toBe('CONTEXT_INVALID');
    await expect(refusal(() => openSealed(message, 'zurich', held(zurichKeys)))).resolves.toBe(
      'CONTEXT_INVALID',
    );
    await expect(refusal(() => openSealed(message, 'moscow', held([asMoscow])))).resolves.toBe(
      'CONTEXT_INVALID',
    );
  });

  it("is refused when wrapped to moscow's key in zurich's name", async () => {
    const message = await foreignMessage({ to: rawRsa('residency/zurich', moscowKey) });
    await expect(refusal(() => openSealed(message, 'zurich', held(zurichKeys)))).resolves.toBe(
      'NO_KEY_FOR_MESSAGE',
    );
    await expect(refusal(() => openSealed(message, 'moscow', held([asMoscow])))).resolves.toBe(
      'WRONG_REGION',
    );
  });
});

describe('a key', () => {
  const { message } = vector('text');
  const cases: readonly (readonly [
    what: string,
    keys: readonly { id: string; privateKeyPem: string }[],
    code: SealingErrorCode,
  ])[] = [
    [
      'another one under the right id',
      [{ id: newerKey.id, privateKeyPem: olderKey.privateKeyPem }],
      'DOES_NOT_OPEN',
    ],
    [
      'the right one under another id',
      [{ id: olderKey.id, privateKeyPem: newerKey.privateKeyPem }],
      'NO_KEY_FOR_MESSAGE',
    ],
    [
      'the public one',
      [{ id: newerKey.id, privateKeyPem: newerKey.publicKeyPem }],
      'DOES_NOT_OPEN',
    ],
    [
      'one cut short',
      [{ id: newerKey.id, privateKeyPem: newerKey.privateKeyPem.slice(0, 1_000) }],
      'DOES_NOT_OPEN',
    ],
    [
      'one with letters gone',
      [
        {
          id: newerKey.id,
          privateKeyPem: newerKey.privateKeyPem.replace(/\n[^\n]+\n(?=-----END)/, '\n'),
        },
      ],
      'DOES_NOT_OPEN',
    ],
    ['an empty one', [{ id: newerKey.id, privateKeyPem: '' }], 'DOES_NOT_OPEN'],
    ['none', [], 'NO_KEY_FOR_MESSAGE'],
  ];
  it.each(cases)('does not open a sample: %s', async (_what, keys, code) => {
    await expect(refusal(() => openSealed(message, 'zurich', held(keys)))).resolves.toBe(code);
  });
});

describe('what is bound to a message', () => {
  const cases: readonly (readonly [what: string, values: Record<string, string>])[] = [
    ...Object.keys(boundValues()).map((name): [string, Record<string, string>] => [
      `${name} missing`,
      Object.fromEntries(Object.entries(boundValues()).filter(([found]) => found !== name)),
    ]),
    ...Object.keys(boundValues()).map((name): [string, Record<string, string>] => [
      `${name} empty`,
      { ...boundValues(), [name]: '' },
    ]),
    ['one value more', { ...boundValues(), note: 'CANARY' }],
    ['a value named __proto__ more', { ...boundValues(), ['__proto__']: 'CANARY' }],
    ['a digest in upper case', { ...boundValues(), 'sample-sha256': sha256(CANARY).toUpperCase() }],
    ['a digest too short', { ...boundValues(), 'policy-digest': sha256(CANARY).slice(1) }],
    ['a submission with a line end', { ...boundValues(), submission: `${sha256(CANARY)}\n` }],
    ['a region in upper case', { ...boundValues(), region: 'CANARY' }],
    ['a region that is a path', { ...boundValues(), region: '../zurich' }],
    ['nothing', {}],
  ];
  it.each(cases)('is refused with %s', async (_what, values) => {
    const message = await foreignMessage({ values });
    await expect(refusal(() => readSealedHeader(message))).resolves.toBe('CONTEXT_INVALID');
    await expect(refusal(() => openSealed(message, 'zurich', held(zurichKeys)))).resolves.toBe(
      'CONTEXT_INVALID',
    );
  });

  it('opens when it is as a router binds it', async () => {
    expect(await openSealed(await foreignMessage(), 'zurich', held(zurichKeys))).toEqual({
      sample: CANARY,
      context: contextOf(CANARY),
    });
  });
});

describe('a sample', () => {
  it('that has not the digest bound to it is refused', async () => {
    const message = await foreignMessage({
      values: { ...boundValues(), 'sample-sha256': sha256('another sample') },
    });
    await expect(refusal(() => openSealed(message, 'zurich', held(zurichKeys)))).resolves.toBe(
      'SAMPLE_DIGEST_MISMATCH',
    );
  });

  it('sealed for two keys at once is refused, though one of them is ours', async () => {
    const keyring = new MultiKeyringNode({
      generator: rawRsa('residency/zurich', newerKey),
      children: [rawRsa('residency/zurich', olderKey)],
    });
    const message = await foreignMessage({ to: keyring });
    expect(readSealedHeader(message).wrappingKeys).toEqual([newerKey.id, olderKey.id]);
    await expect(refusal(() => openSealed(message, 'zurich', held(zurichKeys)))).resolves.toBe(
      'DOES_NOT_OPEN',
    );
  });

  it('sealed without key commitment is refused', async () => {
    const message = await foreignMessage({ commits: false });
    await expect(refusal(() => openSealed(message, 'zurich', held(zurichKeys)))).resolves.toBe(
      'NOT_A_SEALED_SAMPLE',
    );
  });

  it('sealed with the wrong context by the sealer itself is found out on opening', async () => {
    const { message } = await sealTo(newerKey, CANARY, contextOf('another sample'));
    await expect(refusal(() => openSealed(message, 'zurich', held(zurichKeys)))).resolves.toBe(
      'SAMPLE_DIGEST_MISMATCH',
    );
  });
});
