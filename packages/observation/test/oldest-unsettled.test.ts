import { expect, test } from 'vitest';
import { OldestUnsettled } from '../src/oldest-unsettled.ts';
import type { LogAhead } from '../src/ports/intake-log.ts';

function looking(answers: LogAhead[]) {
  const asked: bigint[] = [];
  const oldest = new OldestUnsettled((_, offset) => {
    asked.push(offset);
    const answer = answers.shift();
    return answer === undefined
      ? Promise.reject(new Error('Expected no look.'))
      : Promise.resolve(answer);
  });
  return {
    asked,
    of: (next: bigint, { start = 0n, end = 10n } = {}) =>
      oldest.of({ partition: 0, start, end, next }),
  };
}

test('is looked for once, until the first unsettled offset moves', async () => {
  const { asked, of } = looking([
    { first: { offset: 3n, at: 30 }, upTo: 4n },
    { first: { offset: 5n, at: 50 }, upTo: 6n },
  ]);
  for (const end of [10n, 11n, 12n])
    expect(await of(3n, { end })).toEqual({ at: 30, settledUpTo: 3n });
  expect(await of(5n)).toEqual({ at: 50, settledUpTo: 5n });
  expect(asked).toEqual([3n, 5n]);
});

test('is looked for anew where the log dropped it', async () => {
  const { asked, of } = looking([
    { first: { offset: 3n, at: 30 }, upTo: 10n },
    { first: { offset: 7n, at: 70 }, upTo: 10n },
  ]);
  expect(await of(3n)).toEqual({ at: 30, settledUpTo: 3n });
  expect(await of(3n, { start: 7n })).toEqual({ at: 70, settledUpTo: 3n });
  expect(asked).toEqual([3n, 7n]);
});

test('nothing is looked for where all is settled', async () => {
  const { asked, of } = looking([]);
  expect(await of(10n)).toEqual({ settledUpTo: 10n });
  expect(await of(11n)).toEqual({ settledUpTo: 11n });
  expect(asked).toEqual([]);
});

test('all is settled where only markers follow; what is undecided is not, and the look goes on from there', async () => {
  const { asked, of } = looking([
    { upTo: 10n },
    { upTo: 12n },
    { upTo: 12n },
    { first: { offset: 12n, at: 120 }, upTo: 13n },
  ]);
  expect(await of(3n)).toEqual({ settledUpTo: 10n });
  expect(await of(3n, { end: 14n })).toEqual({ settledUpTo: 3n });
  expect(await of(3n, { end: 14n })).toEqual({ settledUpTo: 3n });
  expect(await of(3n, { end: 14n })).toEqual({ at: 120, settledUpTo: 3n });
  expect(await of(3n, { end: 14n })).toEqual({ at: 120, settledUpTo: 3n });
  expect(asked).toEqual([3n, 10n, 12n, 12n]);
});

test('what the log lost is not settled, though nothing follows', async () => {
  const { of } = looking([{ upTo: 10n }]);
  expect(await of(3n, { start: 10n })).toEqual({ settledUpTo: 3n });
});
