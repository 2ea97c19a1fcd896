import { expect, test } from 'vitest';
import { SettlementTimes } from './settlement-times.ts';

test('a record is settled by the first look whose position is beyond it', () => {
  const times = new SettlementTimes();
  times.look(new Map([[0, 0n]]), 1_000);
  times.look(new Map([[0, 2n]]), 2_000);
  times.look(new Map([[0, 2n]]), 3_000);
  times.look(
    new Map([
      [0, 5n],
      [1, 1n],
    ]),
    4_000,
  );
  const row = (partition: number, offset: number) => ({ partition, offset, at: 500 });
  expect(times.waits([row(0, 0), row(0, 1), row(0, 2), row(0, 4), row(1, 0)])).toEqual([
    1_500, 1_500, 3_500, 3_500, 3_500,
  ]);
});

test('a record that no look found settled has no time', () => {
  const times = new SettlementTimes();
  times.look(new Map([[0, 2n]]), 2_000);
  expect(
    times.waits([
      { partition: 0, offset: 2, at: 0 },
      { partition: 7, offset: 0, at: 0 },
    ]),
  ).toEqual([]);
});
