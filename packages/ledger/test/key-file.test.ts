import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  formatKeyFile,
  makeKey,
  openLedgerKeys,
  parseKeyFile,
  withNextKey,
  withoutLastKey,
} from '../src/index.ts';

const keys = await Promise.all(
  Array.from({ length: 6 }, (_, seed) => makeKey('a/b', new Uint8Array(32).fill(seed), 1)),
);
const [one, two] = keys.map(({ signerKey }) => signerKey);

const files = fc.record({
  generation: fc.integer({ min: 1, max: 999_999 }),
  secrets: fc.uniqueArray(fc.constantFrom(...keys.map(({ signerKey }) => signerKey)), {
    minLength: 1,
    maxLength: 2,
  }),
  former: fc.uniqueArray(fc.constantFrom(...keys.map(({ verifierKey }) => verifierKey)), {
    maxLength: 6,
  }),
});

test('a key file is read as it was written', () => {
  fc.assert(
    fc.property(files, (file) => {
      expect(parseKeyFile(formatKeyFile(file))).toEqual(file);
    }),
  );
});

test("a file of one secret and nothing else is the first ledger's", () => {
  expect(parseKeyFile(`${one ?? ''}\n`)).toEqual({ generation: 1, secrets: [one], former: [] });
});

test.each([
  '',
  'x',
  'generation 1\n',
  'generation 2\n',
  `${keys[0]?.verifierKey ?? ''}\n`,
  `${one ?? ''}\ngeneration 2\n`,
  `${one ?? ''}\n${keys[1]?.verifierKey ?? ''}\n${two ?? ''}\n`,
  keys.map(({ signerKey }) => signerKey).join('\n'),
])('what is no key file is refused, and nothing of it is said (%#)', (text) => {
  expect(() => parseKeyFile(text)).toThrow(
    expect.objectContaining({
      code: 'INVALID_KEY',
      message: expect.not.stringContaining('PRIVATE'),
    }),
  );
});

test('a change of key goes from the old one over both to the new one, which knows the old one', async () => {
  const before = { generation: 3, secrets: [one ?? ''], former: [] };
  const both = withNextKey(before, two ?? '');
  const after = await withoutLastKey(both);
  const [opened, last] = [await openLedgerKeys(both, 'c/0'), await openLedgerKeys(after, 'c/0')];
  expect(after).toEqual({ generation: 3, secrets: [two], former: [keys[0]?.verifierKey] });
  expect([opened.signer.key, last.former]).toEqual([last.signer.key, [opened.cosigner?.key]]);
  expect(await withoutLastKey(after)).toEqual(after);
});
