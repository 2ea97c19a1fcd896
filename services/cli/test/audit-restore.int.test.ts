import { cp, readFile, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { acquireRoutingLock } from '@residency/adapter-sqlite/routing-lock';
import { expect, it } from 'vitest';
import { alterLog, publishSamples, temporaryFolder } from './residency.ts';
import type { Folder } from './residency.ts';

const DATA = '.residency';
const RESTORE = ['audit', 'restore', '--from-ledger'] as const;

/** The log's files, without the ledger, the sites and the checkpoint kept apart. */
async function copyLog(folder: Folder, from: string, to: string): Promise<void> {
  for (const name of await readdir(join(folder.path, to)))
    if (name.startsWith('log.db')) await rm(join(folder.path, to, name));
  for (const name of await readdir(join(folder.path, from)))
    if (name.startsWith('log.db'))
      await cp(join(folder.path, from, name), join(folder.path, to, name), { recursive: true });
}

async function eventsOf(folder: Folder): Promise<string> {
  return (await folder.run('audit', 'list', '--json')).out;
}

/** Three events, the log put back after two more were routed and signed. */
async function putBack(): Promise<{ readonly folder: Folder; readonly events: string }> {
  const folder = await temporaryFolder();
  await folder.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 's');
  await publishSamples(folder, 'one', 'two', 'three');
  await folder.json(0, 'route', '--once');
  await cp(join(folder.path, DATA), join(folder.path, 'backup'), { recursive: true });
  await publishSamples(folder, 'four', 'five');
  await folder.json(0, 'route', '--once');
  const events = await eventsOf(folder);
  await copyLog(folder, 'backup', DATA);
  return { folder, events };
}

it('an older copy of the log gets the events back that its ledger has, and goes on behind them', async () => {
  const { folder, events } = await putBack();
  expect((await folder.run('route', '--once')).err).toMatch(
    /LEDGER_AHEAD_OF_LOG|LEDGER_ROLLED_BACK/,
  );
  const row = {
    topic: 'residency.audit',
    partition: 0,
    entries: 5,
    records: 3,
    missing: 2,
    next: '5',
  };
  const custody = ['moscow', 'zurich'].map((region) => ({
    topic: `residency.custody.${region}`,
    partition: 0,
    entries: 0,
    records: 0,
    missing: 0,
    restored: 0,
  }));
  expect(await folder.json(1, ...RESTORE, '--dry-run')).toEqual([
    { ...row, restored: 0 },
    ...custody,
  ]);
  expect((await eventsOf(folder)).trim().split('\n')).toHaveLength(3);
  expect(await folder.json(0, ...RESTORE)).toEqual([{ ...row, restored: 2 }, ...custody]);
  expect(await eventsOf(folder)).toBe(events);
  expect((await folder.json(0, 'audit', 'list', '--control')).at(-1)).toMatchObject({
    type: 'residency.audit.restore-begun.v1',
    principal: expect.any(String),
    data: { entries: 2 },
  });
  expect((await folder.run(...RESTORE)).out).toContain('nothing is missing');

  // Positions of the lost intake records are not given again.
  await publishSamples(folder, 'six');
  await folder.json(0, 'route', '--once');
  const all = (await folder.json(0, 'audit', 'list')).map(({ id }) => id);
  expect(all.map((id) => String(id).split('/').at(-1))).toEqual(['0', '1', '2', '3', '4', '5']);
  expect((await folder.json(0, 'audit', 'fsck'))[0]).toMatchObject({
    ledger: 'partition 0',
    size: 6,
    findings: 0,
  });
  expect((await folder.json(0, 'reconcile', '--open')).at(-1)).toMatchObject({ differences: 0 });
  expect(await folder.json(0, 'audit', 'adjudicate')).toMatchObject([
    { events: 6, differences: 0 },
  ]);
  // Sent again, an identity that only a restored event has is a duplicate.
  await publishSamples(folder, 'four');
  await folder.json(0, 'route', '--once');
  expect((await folder.json(0, 'audit', 'list')).at(-1)).toMatchObject({
    type: 'residency.sample.duplicate.v1',
    data: { of: all[3] },
  });
});

it('nothing is appended to a log that is another one, without the key, or while it is routed', async () => {
  const { folder } = await putBack();
  const before = await eventsOf(folder);
  const lock = await acquireRoutingLock(join(folder.path, DATA, 'routing.lock'));
  expect((await folder.run(...RESTORE)).err).toContain('ROUTING_LOCKED');
  await lock.release();
  await cp(join(folder.path, DATA), join(folder.path, 'altered'), { recursive: true });
  alterLog(
    join(folder.path, 'altered/log.db'),
    "UPDATE record SET value = CAST('{}' AS BLOB) WHERE topic = (SELECT id FROM topic WHERE name = 'residency.audit') AND \"offset\" = 1",
  );
  const altered = await folder.run(...RESTORE, '--data', 'altered');
  expect([altered.code, altered.err]).toEqual([
    1,
    expect.stringMatching(/Expected record 1 of partition 0 .*\(LOG_DIFFERS\)/),
  ]);
  await cp(join(folder.path, DATA, 'ledger-key'), join(folder.path, 'key'), { recursive: true });
  await rm(join(folder.path, DATA, 'ledger-key'), { recursive: true });
  expect((await folder.run(...RESTORE)).err).toContain('LEDGER_KEY_LOST');
  await cp(join(folder.path, 'key'), join(folder.path, DATA, 'ledger-key'), { recursive: true });
  expect(await eventsOf(folder)).toBe(before);
  expect((await folder.run('audit', 'restore')).code).toBe(2);
});

it('a sample that was accepted at a position of a lost event is not taken for settled', async () => {
  const { folder } = await putBack();
  const before = await eventsOf(folder);
  await publishSamples(folder, 'late');
  const { code, err } = await folder.run(...RESTORE);
  expect([code, err]).toEqual([1, expect.stringMatching(/offset 3 .*\(INTAKE_DIFFERS\)/)]);
  expect(await eventsOf(folder)).toBe(before);
});

it('what was erased stays erased in an older copy of the log that got its events back', async () => {
  const folder = await temporaryFolder();
  await folder.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 's');
  await publishSamples(folder, 'one', 'two');
  await folder.json(0, 'route', '--once');
  const [first] = await folder.json(0, 'sample', 'list', '--region', 'zurich');
  const erase = [
    'erase',
    '--submission',
    String(first?.['submission']),
    '--reason',
    'request 4711',
  ];
  const plan = await folder.json(0, ...erase);
  await folder.json(0, ...erase, '--yes', String(plan.at(-1)?.['digest']), '--no-wait');
  await cp(join(folder.path, DATA), join(folder.path, 'backup'), { recursive: true });
  await folder.json(0, 'route', '--once');
  expect(await logHas(folder, 'sample one')).toBe(false);
  await copyLog(folder, 'backup', DATA);
  expect(await logHas(folder, 'sample one')).toBe(true);

  expect((await folder.run(...RESTORE)).code).toBe(0);
  await publishSamples(folder, 'one');
  await folder.json(0, 'route', '--once');
  expect((await folder.json(0, 'audit', 'list')).at(-1)).toMatchObject({
    type: 'residency.sample.refused.v1',
    data: { reason: 'ERASED' },
  });
  expect(await logHas(folder, 'sample one')).toBe(false);
  const [listed] = await folder.json(0, 'sample', 'list', '--region', 'zurich');
  expect(listed).toMatchObject({ sites: [], erased: { sites: ['zrh-1', 'zrh-2'] } });
});

/** Whether a file of the log has these bytes. */
async function logHas(folder: Folder, bytes: string): Promise<boolean> {
  const names = await readdir(join(folder.path, DATA));
  const files = names.filter((name) => name.startsWith('log.db'));
  const found = await Promise.all(files.map((name) => readFile(join(folder.path, DATA, name))));
  return found.some((file) => file.includes(bytes));
}
