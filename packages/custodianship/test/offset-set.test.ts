import { array, assert, boolean, integer, property, record } from 'fast-check';
import { expect, it } from 'vitest';
import { OffsetSet } from '../src/offset-set.ts';

it('holds what was added and not deleted, counts it, and knows the smallest', () => {
  const step = record({ offset: integer({ min: 0, max: 2_000 }), add: boolean() });
  assert(
    property(array(step, { maxLength: 200 }), (steps) => {
      const [set, model] = [new OffsetSet(), new Set<number>()];
      for (const { offset, add } of steps) {
        if (add) set.add(BigInt(offset));
        else set.delete(BigInt(offset));
        if (add) model.add(offset);
        else model.delete(offset);
        expect(set.has(BigInt(offset))).toBe(add);
        expect(set.size).toBe(model.size);
        expect(set.first).toBe(model.size === 0 ? undefined : BigInt(Math.min(...model)));
      }
    }),
  );
});

it('takes an eighth of a byte for each offset below the largest, however many it holds', () => {
  const set = new OffsetSet();
  set.add(10_000_000n);
  expect(set.has(10_000_000n)).toBe(true);
  expect(set.has(9_999_999n)).toBe(false);
  expect(set.first).toBe(10_000_000n);
});
