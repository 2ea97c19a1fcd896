import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { openSqliteLog } from '@residency/adapter-sqlite';
import { TOPICS, policyEntry } from '@residency/contracts';
import { openDataDirectory } from '@residency/standalone';
import { SHIPPED_POLICY } from '@residency/testkit';
import { expect, it } from 'vitest';
import { alterLog, publishSamples, temporaryFolder } from './residency.ts';
import type { Folder, Row } from './residency.ts';

/** 0.864 seconds. */
const KEEP_DAYS = 0.000_01;
const AUTO = { RESIDENCY_RETENTION: 'auto' };

/** A data directory with two samples in Zurich whose time is over, by a version that is in force. */
async function overdue(): Promise<Folder> {
  const folder = await temporaryFolder();
  await folder.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 'somebody');
  await publishSamples(folder, 'a', 'b');
  await folder.run('route', '--once');
  expect((await last(folder)).overdue).toBeUndefined();
  const { document } = SHIPPED_POLICY;
  const regions = document.regions.map((region) =>
    region.id === 'zurich' ? { ...region, keepDays: KEEP_DAYS } : region,
  );
  const data = await openDataDirectory(join(folder.path, '.residency'), {
    checkpoints: folder.checkpoints,
  });
  const at = Date.now() + 2_000;
  const effectiveFrom = new Date(at).toISOString();
  await data.log.append([
    policyEntry({ ...document, version: 2, effectiveFrom, regions }, 'version-2'),
  ]);
  await data.close();
  await sleep(Math.max(0, at - Date.now()) + 1);
  return folder;
}

async function last(
  folder: Folder,
  env: Readonly<Record<string, string>> = {},
): Promise<Readonly<Record<string, unknown>>> {
  const { code, out, err } = await folder.runWith(env, 'reconcile', '--json');
  expect([code, err]).toEqual([0, '']);
  return JSON.parse(out.trim().split('\n').at(-1) ?? '') as Readonly<Record<string, unknown>>;
}

const ZURICH = { region: 'zurich', keepDays: KEEP_DAYS };

/** Every file of the sites that has a sealed sample: its encryption context names the region. */
async function sealedIn(folder: Folder): Promise<number> {
  const sites = join(folder.path, '.residency', 'sites');
  let found = 0;
  for (const entry of await readdir(sites, { recursive: true, withFileTypes: true }))
    if (
      entry.isFile() &&
      (await readFile(join(entry.parentPath, entry.name))).includes('residency/zurich')
    )
      found += 1;
  return found;
}

const submissionsOf = async (folder: Folder): Promise<readonly string[]> =>
  (await folder.json(0, 'sample', 'list', '--region', 'zurich')).map(({ submission }) =>
    String(submission),
  );

const orders = async (folder: Folder): Promise<readonly Row[]> =>
  await folder.json(0, 'audit', 'erasures');

it('samples past their time are counted, ordered with auto, and erased; what is on hold stays', async () => {
  const folder = await overdue();
  expect((await last(folder)).overdue).toEqual([
    { ...ZURICH, overdue: 2, ordered: 0, unordered: 2 },
  ]);
  const { out } = await folder.run('reconcile');
  expect(out).toContain('RESIDENCY_RETENTION=auto');
  expect(await orders(folder)).toEqual([]);

  const [held = '', free = ''] = await submissionsOf(folder);
  const [placed] = await folder.json(
    ...([0, 'hold', 'place', '--submission', held, '--reason', 'case 4711'] as const),
  );
  expect((await last(folder, AUTO)).overdue).toEqual([
    { ...ZURICH, overdue: 1, ordered: 1, unordered: 0 },
  ]);
  expect((await last(folder, AUTO)).overdue).toEqual([
    { ...ZURICH, overdue: 1, ordered: 0, unordered: 0 },
  ]);
  expect(await orders(folder)).toEqual([
    expect.objectContaining({ reason: `kept for ${KEEP_DAYS} days`, stored: 1 }),
  ]);
  const log = await openSqliteLog({
    file: join(folder.path, '.residency', 'log.db'),
    now: Date.now,
  });
  const kept = await Array.fromAsync(log.read(TOPICS.samples));
  await log.close();
  expect(kept.filter(({ value }) => value?.includes('sample ') === true)).toHaveLength(1);

  await folder.run('route', '--once');
  expect((await last(folder)).overdue).toEqual([
    { ...ZURICH, overdue: 0, ordered: 0, unordered: 0 },
  ]);
  expect(await sealedIn(folder)).toBe(2);
  const [order] = await orders(folder);
  const act = String(order?.['order']);
  expect(await folder.json(0, 'audit', 'erasures', '--order', act, '--samples')).toEqual([
    expect.objectContaining({ submission: free, state: 'erased' }),
  ]);
  expect((await folder.run('audit', 'list', '--control', '--json')).out).toContain('"retention"');

  await folder.json(0, 'hold', 'lift', String(placed?.['hold']), '--reason', 'case 4711 is closed');
  const said = await folder.runWith(AUTO, 'reconcile');
  expect(said.out).toContain('The erasure of 1 samples of zurich was ordered');
  await folder.run('route', '--once');
  expect(await sealedIn(folder)).toBe(0);
});

it('a sample is not past its time by a clock that is far ahead of the log', async () => {
  const folder = await overdue();
  expect((await last(folder)).overdue).toBeDefined();
  alterLog(
    join(folder.path, '.residency', 'log.db'),
    `UPDATE meta SET last_at = last_at - ${40 * 24 * 60 * 60 * 1_000}`,
  );
  expect((await last(folder, AUTO)).overdue).toBeUndefined();
  expect(await orders(folder)).toEqual([]);
});

it('a mode of retention that is none is refused', async () => {
  const folder = await temporaryFolder();
  await folder.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 'somebody');
  const { code, err } = await folder.runWith({ RESIDENCY_RETENTION: 'off' }, 'reconcile');
  expect([code, err]).toEqual([2, expect.stringContaining('auto or propose')]);
});
