import { expect, test } from 'vitest';
import { COMMITTED, readCommitted, rowOf, shortOf, withRows, withShort } from './committed.ts';
import { committedRow, coresTable, ratesTable } from './report.ts';
import type { Row } from './report.ts';

const WORKLOAD = { bytes: 10_240, region: 'zurich', count: 1_000 } as const;
const ORIGIN = { date: '2026-12-01', commit: 'abc1234', node: '26.10.0', machine: 'a machine' };

/** One router, one pair a share. The router uses three times the floor's CPU, and twice its time. */
function row(...shares: readonly number[]): Row {
  return {
    workload: WORKLOAD,
    routers: 1,
    pairs: shares.map((share) => {
      const run = { share, peakBytes: 1e6, cores: { measured: 1, machine: share < 0.8 ? 2 : 1 } };
      return {
        subject: { ...run, seconds: 2, cpuSeconds: 1.5 },
        floor: { ...run, share: 1, seconds: 1, cpuSeconds: 0.5 },
      };
    }),
  };
}

function lastCells(rows: readonly Row[]): readonly string[] {
  return (
    ratesTable(rows, { rows: [], short: [] })
      .split('\n')
      .at(-1)
      ?.split('|')
      .slice(-4, -1)
      .map((cell) => cell.trim()) ?? []
  );
}

test('a ratio is that of the quiet pairs, and none is printed if all were busy', () => {
  expect(lastCells([row(1, 0.9)])).toEqual(['2.00 (2.00–2.00)', '3.00 (3.00–3.00)', 'none']);
  expect(lastCells([row(1, 0.79)])[1]).toBe('3.00 (3.00–3.00), 1 of 2 busy');
  expect(lastCells([row(0.79)])).toEqual(['busy', 'busy', 'none']);
  expect(coresTable([row(0.79)])).toContain('| 79 (79–79), busy |');
});

test('a run that only its own benchmark kept from the cores is not busy', () => {
  const [pair] = row(0.5).pairs;
  const own = { ...pair?.subject, cores: { measured: 1.8, broker: 0.15, machine: 2 } };
  expect(lastCells([{ ...row(), pairs: [{ ...pair, subject: own }] } as Row])[1]).toBe(
    '3.00 (3.00–3.00)',
  );
});

test('the committed figure is printed beside the measured one', async () => {
  const before = { rows: [committedRow(row(1), ORIGIN)].flatMap((one) => one ?? []), short: [] };
  expect(ratesTable([row(1)], before)).toContain('| 3.00 (3.00–3.00), 2026-12-01, abc1234 |');
  expect(rowOf(await readCommitted(COMMITTED), WORKLOAD, 1)?.timesFloorCpu.median).toBeGreaterThan(
    1,
  );
});

test('a new row replaces the one of the same samples and routers, and no busy one is written', () => {
  const [measured] = [committedRow(row(1), ORIGIN)].flatMap((one) => one ?? []);
  if (measured === undefined) throw new Error('Expected a row of a quiet pair, found none.');
  const other = { ...measured, routers: 2 };
  const before = { rows: [{ ...measured, commit: 'older' }, other], short: [] };
  expect(withRows(before, [measured]).rows).toEqual([other, measured]);
  expect(committedRow(row(1, 0.5), ORIGIN)).toBeUndefined();
  expect(committedRow({ ...row(1), routers: 'peer' }, ORIGIN)).toBeUndefined();
});

test('a figure of the short form is that of the same kind of machine, or else the highest', () => {
  const of = (machine: string, timesFloorCpu: number) => ({
    ...ORIGIN,
    machine,
    samples: 1,
    timesFloorCpu,
  });
  const table = { rows: [], short: [of('a', 2), of('b', 3), of('c', 1)] };
  expect(shortOf(table, 'c').timesFloorCpu).toBe(1);
  expect(shortOf(table, 'd').timesFloorCpu).toBe(3);
  expect(withShort(table, of('b', 4)).short).toEqual([of('a', 2), of('c', 1), of('b', 4)]);
  expect(() => shortOf({ rows: [], short: [] }, 'a')).toThrow('--commit-table');
});
