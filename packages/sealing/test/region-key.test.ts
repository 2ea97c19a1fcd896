import { createHash, createPrivateKey, createPublicKey } from 'node:crypto';
import { beforeAll, expect, it } from 'vitest';
import { RegionSealer, KEY_ID, generateRegionKey } from '../src/index.ts';
import type { RegionKey } from '../src/index.ts';

const AT = Date.UTC(2026, 8, 9, 9, 9, 9, 9);
let keys: readonly RegionKey[];
beforeAll(async () => {
  keys = await Promise.all(
    [AT, AT + 1, Date.UTC(2026, 9, 1)].map((at) => generateRegionKey('zurich', at)),
  );
});

it('names a key after its region, the time it was made and its fingerprint', () => {
  for (const { id, publicKeyPem } of keys) {
    const fingerprint = createHash('sha256')
      .update(createPublicKey(publicKeyPem).export({ type: 'spki', format: 'der' }))
      .digest('hex');
    expect(id).toMatch(KEY_ID);
    expect(id.endsWith(`Z-${fingerprint.slice(0, 8)}`)).toBe(true);
  }
  expect(keys[0]?.id.startsWith('zurich-20260909T090909009Z-')).toBe(true);
});

it('gives ids that sort by time, to the millisecond', () => {
  const ids = keys.map(({ id }) => id);
  expect(ids.toSorted()).toEqual(ids);
  expect(new Set(ids).size).toBe(keys.length);
});

it('makes RSA keys of 3072 bits, SPKI and PKCS#8, that belong together', () => {
  for (const { publicKeyPem, privateKeyPem } of keys) {
    expect([publicKeyPem.split('\n')[0], privateKeyPem.split('\n')[0]]).toEqual([
      '-----BEGIN PUBLIC KEY-----',
      '-----BEGIN PRIVATE KEY-----',
    ]);
    expect(createPublicKey(publicKeyPem).asymmetricKeyType).toBe('rsa');
    expect(createPublicKey(publicKeyPem).asymmetricKeyDetails?.modulusLength).toBe(3072);
    expect(
      createPublicKey(createPrivateKey(privateKeyPem)).equals(createPublicKey(publicKeyPem)),
    ).toBe(true);
  }
});

it("refuses to seal with a key filed under another region, or under another key's id", async () => {
  const [key, other] = keys;
  if (key === undefined || other === undefined) throw new RangeError('two keys are made above');
  const seal = (id: string, region: string) =>
    new RegionSealer({ newest: () => ({ id, publicKeyPem: key.publicKeyPem }) }).seal(
      Buffer.from('harmless'),
      {
        region,
        policyDigest: '0'.repeat(64),
        sampleSha256: '1'.repeat(64),
        submission: '2'.repeat(64),
      },
    );
  expect(await seal(key.id, 'zurich')).toMatchObject({ wrappingKey: key.id });
  await expect(seal(key.id, 'moscow')).rejects.toMatchObject({ code: 'NOT_A_PUBLIC_KEY' });
  await expect(seal(other.id, 'zurich')).rejects.toMatchObject({ code: 'NOT_A_PUBLIC_KEY' });
});

it('seals again once a bad public key file was put right, and no more once a good one has turned bad', async () => {
  const [key] = keys;
  if (key === undefined) throw new RangeError('a key is made above');
  let publicKeyPem = key.publicKeyPem.slice(0, 100);
  const sealer = new RegionSealer({ newest: () => ({ id: key.id, publicKeyPem }) });
  const seal = () =>
    sealer.seal(Buffer.from('harmless'), {
      region: 'zurich',
      policyDigest: '0'.repeat(64),
      sampleSha256: '1'.repeat(64),
      submission: '2'.repeat(64),
    });
  await expect(seal()).rejects.toMatchObject({ code: 'NOT_A_PUBLIC_KEY', remedy: 'retry' });
  ({ publicKeyPem } = key);
  expect(await seal()).toMatchObject({ wrappingKey: key.id });
  publicKeyPem = '';
  await expect(seal()).rejects.toMatchObject({ code: 'NOT_A_PUBLIC_KEY', remedy: 'retry' });
});

it.each([
  'zurich',
  'zurich-20260909T090909009Z',
  'Zurich-20260909T090909009Z-00000000',
  'zurich-20260909T090909Z-00000000',
  '../zurich-20260909T090909009Z-00000000',
  'zurich-20260909T090909009Z-00000000/..',
])('does not take %s for a key id', (id) => {
  expect(id).not.toMatch(KEY_ID);
});
