import { expect, it } from 'vitest';
import { CopyPrints } from '../src/copy-prints.ts';
import type { CopyNames } from '../src/copy-prints.ts';

const names: CopyNames = {
  submission: 'a'.repeat(64),
  region: 'zurich',
  sealedSha256: 'b'.repeat(64),
  sealedBytes: 7,
};
const at = (offset: bigint | number, partition = 0): string =>
  `log-1/threat.samples/${partition}/${offset}`;

it('knows by site and position whether there is an event, and of what', () => {
  const prints = new CopyPrints();
  const far = 9_007_199_254_740_993n;
  for (const offset of [0, 1_023, 1_024, far]) prints.add('zrh-2', at(offset), names);
  for (const offset of [0, 1_023, 1_024, far])
    expect(prints.find('zrh-2', at(offset), names)).toBe('copied');
  for (const [site, position] of [
    ['zrh-1', at(0)],
    ['zrh-2', at(1)],
    ['zrh-2', at(0, 1)],
    ['zrh-2', at(far - 1n)],
  ] as const)
    expect(prints.find(site, position, names)).toBe('none');
});

it.each([
  ['submission', 'c'.repeat(64)],
  ['region', 'moscow'],
  ['sealedSha256', 'c'.repeat(64)],
  ['sealedBytes', 8],
])('an event with another %s does not count, and a later right one does', (member, value) => {
  const prints = new CopyPrints();
  prints.add('zrh-2', at(3), { ...names, [member]: value });
  expect(prints.find('zrh-2', at(3), names)).toBe('differs');
  prints.add('zrh-2', at(3), { ...names, [member]: value });
  prints.add('zrh-2', at(3), names);
  expect(prints.find('zrh-2', at(3), names)).toBe('copied');
});
