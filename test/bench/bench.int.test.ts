import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const BENCH = join(import.meta.dirname, 'bench.ts');

test('the benchmark measures each size against the floor, memory and steps, and leaves nothing behind', () => {
  const under = mkdtempSync(join(tmpdir(), 'residency-bench-test-'));
  const output = execFileSync(process.execPath, [BENCH, '--quick', '--under', under], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  });

  const rows = output
    .split('\n')
    .filter((line) => line.startsWith('| '))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );
  const column = (head: string): readonly string[] => {
    const start = rows.findIndex(([first]) => first === head);
    const after = rows.slice(start + 2);
    const end = after.findIndex((_, index) => after[index + 1]?.[0] === '---');
    return after.slice(0, end === -1 ? undefined : end).map(([first = '']) => first);
  };
  expect(column('sample')).toEqual(['1 KiB', '10 KiB', '100 KiB', '10 MiB']);
  expect(column('waiting')).toEqual(['200 × 10 KiB']);
  expect(column('step')).toEqual([
    'read and settle',
    'decode',
    'views',
    'judge',
    'place',
    '– seal',
    '– create zrh-1',
    '– create zrh-2',
    'flush',
    'events',
    'together',
  ]);
  // No test asserts a time, only that there is one: no zero, none missing.
  expect(rows.flat().filter((cell) => /NaN|Infinity|undefined|^0(\.0+)?$/.test(cell))).toEqual([]);
  expect(readdirSync(under)).toEqual([]);
  rmdirSync(under);
});

test.each([
  [['--sizes', '10KB'], '--sizes'],
  [['--sizes', '17MiB'], '--sizes'],
  [['--pairs', '0'], '--pairs'],
  [['--fast'], '--fast'],
])('unknown options (%j) end with the usage and exit 2', (args, named) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BENCH, ...args], {
    encoding: 'utf8',
  });
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain(named);
  expect(stderr).toContain('npm run bench');
});
