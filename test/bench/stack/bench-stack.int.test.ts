import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { readCommitted } from './committed.ts';

const BENCH = join(import.meta.dirname, 'bench-stack.ts');

interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

test('the stack benchmark measures routers against the floor, cores, latency, memory and steps, and leaves nothing behind', async () => {
  const under = await mkdtemp(join(tmpdir(), 'residency-bench-stack-test-'));
  const written = await mkdtemp(join(tmpdir(), 'residency-bench-stack-committed-'));
  const committed = join(written, 'committed.json');
  await writeFile(committed, JSON.stringify({ rows: [], short: [] }));
  const peer = `'${process.execPath}' --disable-warning=ExperimentalWarning '${join(import.meta.dirname, 'peers/floor-peer.ts')}'`;
  const { code, stdout, stderr } = await bench(
    ['--quick', '--peer', peer, '--committed', committed, '--commit-table'],
    under,
  );
  expect(code, stderr).toBe(0);

  const [rates, cores, latency, memory, steps, mainThread, ...more] = tablesOf(stdout);
  expect(more).toEqual([]);
  expect(first(rates, 3)).toEqual([
    ['10 KiB', 'zurich (2)', '1'],
    ['10 KiB', 'zurich (2)', '2'],
    ['10 KiB', 'zurich (2)', 'peer'],
  ]);
  expect(first(cores, 3)).toEqual([
    ['10 KiB', 'zurich (2)', '1 router'],
    ['10 KiB', 'zurich (2)', 'floor'],
    ['10 KiB', 'zurich (2)', '2 routers'],
    ['10 KiB', 'zurich (2)', 'peer'],
  ]);
  expect(first(latency, 2)).toEqual([['10 KiB', 'zurich (2)']]);
  expect(memory?.rows).toHaveLength(1);
  expect(first(steps, 1).flat()).toEqual([
    'wait for records',
    'decode',
    'views',
    'judge',
    'place',
    '– seal',
    '– put zrh-1',
    '– put zrh-2',
    'flush',
    'events',
    'settle',
    'together',
  ]);
  expect(first(mainThread, 1).flat()).toEqual(
    expect.arrayContaining([
      'S3 client (@aws-sdk, @smithy)',
      'kafkajs',
      '@residency/sealing',
      'busy',
      'waiting',
    ]),
  );
  // No test asserts a time, only that there is one: none missing, and no rate, ratio or latency
  // of zero. Memory may well have a slope of zero.
  expect(stdout).not.toMatch(/NaN|Infinity|undefined/);
  expect(
    [rates, latency, memory]
      .flatMap((table) =>
        (table?.rows ?? []).flatMap((row) =>
          row.filter((_, column) => table?.head[column]?.startsWith('slope') !== true),
        ),
      )
      .filter((cell) => /^0(\.0+)?\b/.test(cell) && !/^0\.\d*[1-9]/.test(cell)),
  ).toEqual([]);
  // A ratio of a busy run is neither printed nor written.
  const printed = (rates?.rows ?? []).flatMap((row) => (row.at(-2) === 'busy' ? [] : [row[2]]));
  expect((await readCommitted(committed)).rows.map(({ routers }) => String(routers))).toEqual(
    printed.filter((routers) => routers !== 'peer'),
  );
  await rm(written, { recursive: true });
  expect(await readdir(under)).toEqual([]);
  await rmdir(under);
});

test.each([
  [['--sizes', '10KB'], '--sizes'],
  [['--regions', 'zurich,atlantis'], '--regions'],
  [['--pairs', '0'], '--pairs'],
  [['--memory-minutes', '-1'], '--memory-minutes'],
  [['--router-env', 'NAME'], '--router-env'],
  [['--fast'], '--fast'],
])('unknown options of the stack benchmark (%j) end with the usage and exit 2', (args, named) => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [BENCH, ...args], {
    encoding: 'utf8',
  });
  expect([status, stdout]).toEqual([2, '']);
  expect(stderr).toContain(named);
  expect(stderr).toContain('npm run bench:stack');
});

async function bench(
  args: readonly string[],
  folder: string,
): Promise<{ readonly code: number | null; readonly stdout: string; readonly stderr: string }> {
  const child = spawn(process.execPath, [BENCH, ...args], {
    env: { ...process.env, TMPDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close') as Promise<[number | null]>;
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    ended,
  ]);
  return { code, stdout, stderr };
}

function tablesOf(markdown: string): readonly Table[] {
  return markdown
    .split('\n\n')
    .filter((block) => block.startsWith('| '))
    .map((block) => {
      const [head = [], , ...rows] = block
        .trim()
        .split('\n')
        .map((line) =>
          line
            .split('|')
            .slice(1, -1)
            .map((cell) => cell.trim()),
        );
      return { head, rows };
    });
}

/** The first cells of each row, of rows that are whole. */
function first(table: Table | undefined, cells: number): readonly (readonly string[])[] {
  return (
    table?.rows
      .filter(({ length }) => length === table.head.length)
      .map((row) => row.slice(0, cells)) ?? []
  );
}
