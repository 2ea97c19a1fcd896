import { chmod, mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lockRouting } from '@residency/standalone';
import { temporaryFolder } from './residency.ts';
import type { Folder } from './residency.ts';

async function resultsOf(
  folder: Folder,
  code: number,
): Promise<(check: string) => readonly string[]> {
  const rows = await folder.json(code, 'doctor', '--data', 'data');
  return (check) =>
    rows
      .filter((row) => row['check'] === check)
      .map(({ state, found, next = '' }) => `${String(state)}: ${String(found)} ${String(next)}`);
}

it('doctor looks at a data directory and changes nothing, finds it well, then each thing that is not', async () => {
  const folder = await temporaryFolder();
  const data = join(folder.path, 'data');
  const refused = await folder.run('doctor', '--data', 'data');
  await mkdir(data);
  expect([
    refused.code,
    refused.err,
    (await folder.run('doctor', '--data', 'data')).code,
    await readdir(data),
  ]).toEqual([2, expect.stringContaining('NOT_THERE'), 2, []]);

  await writeFile(join(folder.path, 'sample'), 'the sample');
  await folder.json(
    0,
    'consent',
    'grant',
    '--data',
    'data',
    '--consent',
    'consent-0001',
    '--subject',
    's',
    '--terms-version',
    '1',
  );
  await folder.json(
    0,
    'publish',
    'sample',
    '--data',
    'data',
    '--country',
    'CH',
    '--consent',
    'consent-0001',
  );
  expect((await resultsOf(folder, 0))('progress')).toEqual([
    expect.stringMatching(
      /^ok: 1 offset is not settled, the oldest record waits for [\d.]+ s, at [^/ ]+\/threat\.samples\/0\/0 $/,
    ),
  ]);
  expect((await folder.run('status', '--data', 'data')).out).toMatch(
    /1 record waits for .*, the first at \S+\/threat\.samples\/0\/0/,
  );
  await folder.json(0, 'route', '--once', '--data', 'data');
  const well = await resultsOf(folder, 0);
  expect([
    well('ledger'),
    well('ledger key'),
    well('site zrh-2'),
    well('key moscow'),
    well('progress'),
  ]).toEqual([
    ['ok: 1 entries for 1 events '],
    ['ok: there, mode 0600 '],
    [expect.stringMatching(/^ok/)],
    [expect.stringMatching(/^ok/)],
    ['ok: all of 1 partition is settled '],
  ]);

  const lock = await lockRouting({ path: data });
  await chmod(join(data, 'ledger-key'), 0o644);
  await rm(join(data, 'sites', 'zrh-2'), { recursive: true });
  await rm(join(data, 'keys', 'moscow'), { recursive: true });
  await rm(join(data, 'ledger', '0', 'checkpoint'));
  await folder.json(0, 'pause', '--data', 'data', '--reason', 'a test');
  const ill = await resultsOf(folder, 1);
  await lock.release();
  expect(ill('router')).toEqual(['ok: one runs ']);
  expect(ill('ledger key')).toEqual([expect.stringMatching(/^wrong: mode 0644/)]);
  expect(ill('permissions')).toEqual([
    expect.stringMatching(/^wrong: others may reach ledger-key \(0644\) chmod/),
  ]);
  expect(ill('site zrh-2')).toEqual([expect.stringMatching(/^wrong: /)]);
  expect(ill('site zrh-1')).toEqual([expect.stringMatching(/^ok: /)]);
  expect(ill('key moscow')).toEqual([expect.stringMatching(/^wrong: none to seal with/)]);
  expect(ill('control')).toEqual([expect.stringMatching(/^wrong: paused since .*: a test/)]);
  // Of a router that runs it may be on its way.
  expect(ill('ledger')).toEqual(['ok: 0 entries for 1 events ']);
  expect((await resultsOf(folder, 1))('ledger')).toEqual([
    expect.stringMatching(/^wrong: 0 entries for 1 events/),
  ]);
});
