import fc from 'fast-check';
import { expect, it } from 'vitest';
import { withholdAborted } from '../src/kafkajs/withhold-aborted.ts';

interface Step {
  readonly producer: number;
  readonly what: 'record' | 'plain' | 'commit' | 'abort';
}

const marker = (type: number): Buffer => Buffer.from([0, 0, 0, type]);

/**
 * A log as the steps write it, which of its offsets readers may see, and its aborted transactions
 * in the order they ended.
 */
function log(steps: readonly Step[]) {
  const open = new Map<number, number[]>();
  const visible = new Set<number>();
  const aborted: { producerId: string; firstOffset: string; last: number }[] = [];
  const messages = steps.map(({ producer, what }, offset) => {
    const mine = open.get(producer) ?? [];
    if (what === 'record') open.set(producer, [...mine, offset]);
    else if (what === 'plain') visible.add(offset);
    else {
      if (what === 'commit') for (const each of mine) visible.add(each);
      else if (mine[0] !== undefined)
        aborted.push({ producerId: `${producer}`, firstOffset: `${mine[0]}`, last: offset });
      open.delete(producer);
    }
    // A record's key may look like a marker's.
    const key = what === 'commit' ? marker(1) : marker(0);
    return {
      offset: `${offset}`,
      key,
      isControlRecord: what === 'commit' || what === 'abort',
      batchContext: { producerId: `${producer}`, inTransaction: what !== 'plain' },
    };
  });
  return { messages, visible, aborted, undecided: new Set([...open.values()].flat()) };
}

it('withholds exactly the records of aborted transactions, wherever a fetch begins', () => {
  const step = fc.record({
    producer: fc.integer({ min: 1, max: 4 }),
    what: fc.constantFrom('record', 'record', 'record', 'plain', 'commit', 'abort'),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 40 }), fc.nat(40), (steps, from) => {
      const { messages, visible, aborted, undecided } = log(steps);
      // The broker gives no more than what is decided.
      const stable = Math.min(...undecided, messages.length);
      const fetched = messages.slice(from, stable);
      const seen = withholdAborted(
        fetched,
        aborted.filter(({ last }) => last >= from),
      )
        .filter(({ isControlRecord }) => !isControlRecord)
        .map(({ offset }) => Number(offset));
      expect(seen).toEqual(
        [...visible]
          .filter((offset) => offset >= from && offset < stable)
          .toSorted((a, b) => a - b),
      );
    }),
    { numRuns: 2_000 },
  );
});

it('withholds nothing where nothing was aborted', () => {
  const { messages } = log([
    { producer: 1, what: 'record' },
    { producer: 1, what: 'commit' },
  ]);
  for (const none of [undefined, null, []])
    expect(withholdAborted(messages, none)).toEqual(messages);
});
