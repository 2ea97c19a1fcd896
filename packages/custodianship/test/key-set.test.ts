import { KeySet } from '@residency/custodianship';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { submissionKey } from '../src/submission-key.ts';

/** Few words, so that many members want one slot; among them those that could pass for a free one. */
const word = fc.constantFrom(
  '00000000',
  '00000001',
  '00000400',
  'ffffffff',
  '80000000',
  'deadbeef',
);
const submission = fc
  .tuple(word, word, fc.constantFrom('0', 'f'))
  .map(([high, low, rest]) => `${high}${low}${rest.repeat(48)}`);
const anySubmission = fc
  .array(fc.nat({ max: 15 }), { minLength: 64, maxLength: 64 })
  .map((digits) => digits.map((digit) => digit.toString(16)).join(''));

it('has what was added, by the first 64 bits, and nothing else', () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(submission, anySubmission)),
      fc.oneof(submission, anySubmission),
      (added, asked) => {
        const keys = new KeySet();
        const model = new Set<string>();
        for (const one of [...added, asked]) {
          expect(keys.has(one)).toBe(model.has(submissionKey(one).join()));
          keys.add(one);
          model.add(submissionKey(one).join());
          expect(keys.has(one)).toBe(true);
          expect(keys.hasKey(...submissionKey(one))).toBe(true);
        }
      },
    ),
  );
});

it('keeps its members while it grows', () => {
  const keys = new KeySet();
  // Consecutive keys: each looks for a slot behind the last one.
  const of = (n: number): string => n.toString(16).padStart(16, '0').padEnd(64, '0');
  for (let n = 0; n < 4_000; n += 2) keys.add(of(n * 512));
  for (let n = 0; n < 4_000; n += 1) expect(keys.has(of(n * 512))).toBe(n % 2 === 0);
});
