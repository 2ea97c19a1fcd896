import fc from 'fast-check';
import { expect, test } from 'vitest';
import { TailSearch } from '../../src/growing/tail-search.ts';

test('finds the first place where the whole tail stands in a row, as a naive search does', () => {
  const letters = fc.array(fc.constantFrom('a', 'b'), { maxLength: 40 });
  fc.assert(
    fc.property(
      letters,
      letters.filter(({ length }) => length > 0),
      (log, tail) => {
        const search = new TailSearch(tail.map((letter) => Buffer.from(letter)));
        const found = log.findIndex((letter) => search.next(Buffer.from(letter)));
        const naive = log.join('').indexOf(tail.join(''));
        expect(found).toBe(naive === -1 ? -1 : naive + tail.length - 1);
      },
    ),
    { numRuns: 500, seed: 3 },
  );
});
