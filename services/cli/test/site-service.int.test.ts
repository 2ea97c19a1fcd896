import { randomUUID } from 'node:crypto';
import { mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { FilesystemObjectStore } from '@residency/adapter-filesystem';
import { openSqliteLog } from '@residency/adapter-sqlite';
import { ARBITER_CLOSING, controlEntry } from '@residency/contracts';
import { SALT, exampleObject } from '@residency/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { makeFolder, publishSamples } from './residency.ts';
import type { Folder } from './residency.ts';

let folder: Folder;
const site = (name: string): string => join(folder.path, '.residency', 'sites', name);
const away = (name: string): string => join(folder.path, `${name}-away`);

beforeEach(async () => {
  folder = await makeFolder();
  await folder.run('consent', 'grant', '--consent', 'consent-0001', '--subject', 'somebody');
  await publishSamples(folder, 'one', 'two', 'three');
  await folder.run('route', '--once');
});
afterEach(() => folder.remove());

async function outcomes(): Promise<Readonly<Record<string, number>>> {
  const counts: Record<string, number> = {};
  for (const event of await folder.json(0, 'audit', 'list')) {
    const outcome = String(event['type']).split('.')[2] ?? '';
    counts[outcome] = (counts[outcome] ?? 0) + 1;
  }
  return counts;
}

it('the arbiter is destroyed: another site arbitrates, identities stay, and it comes back empty', async () => {
  await rename(site('zrh-1'), away('zrh-1'));
  await publishSamples(folder, 'one', 'four');
  expect((await folder.run('route', '--once')).code).not.toBe(0);
  expect(await folder.json(0, 'site', 'out', 'zrh-1', '--reason', 'fire')).toEqual([
    {
      region: 'zurich',
      serving: ['zrh-2'],
      out: ['zrh-1'],
      arbiterChanges: 1,
      claims: 0,
      unheld: 0,
      // All of them are in the custodian's register.
      auditRecordsRead: 0,
    },
  ]);
  expect((await folder.run('route', '--once')).code).toBe(0);
  expect(await outcomes()).toEqual({ stored: 4, duplicate: 1 });
  // The same folder, without its objects.
  await rename(away('zrh-1'), site('zrh-1'));
  await rm(join(site('zrh-1'), 'samples'), { recursive: true });
  await mkdir(join(site('zrh-1'), 'samples'));
  expect(await folder.json(0, 'site', 'in', 'zrh-1')).toMatchObject([
    { serving: ['zrh-2', 'zrh-1'], out: [] },
  ]);
  await publishSamples(folder, 'two', 'five');
  expect((await folder.run('route', '--once')).code).toBe(0);
  expect(await outcomes()).toEqual({ stored: 5, duplicate: 2 });
  expect((await folder.json(0, 'reconcile')).at(-1)).toMatchObject({ differences: 0 });
  expect(await readdir(join(site('zrh-1'), 'samples'), { recursive: true })).toEqual(
    await readdir(join(site('zrh-2'), 'samples'), { recursive: true }),
  );
});

it("an identity whose copy was only in the arbiter stays its owner's, and comes back with it", async () => {
  // zrh-2 loses what it had of the first samples.
  await rm(join(site('zrh-2'), 'samples'), { recursive: true });
  await mkdir(join(site('zrh-2'), 'samples'));
  await rename(site('zrh-1'), away('zrh-1'));
  const refused = await folder.run('site', 'out', 'zrh-1', '--reason', 'fire');
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('WOULD_LOSE')]);
  expect(await folder.json(0, 'site', 'out', 'zrh-1', '--reason', 'fire', '--accept-loss')).toEqual(
    [expect.objectContaining({ serving: ['zrh-2'], claims: 3, unheld: 3 })],
  );
  await publishSamples(folder, 'one', 'four');
  expect((await folder.run('route', '--once')).code).toBe(0);
  expect(await outcomes()).toEqual({ stored: 4, duplicate: 1 });
  await rename(away('zrh-1'), site('zrh-1'));
  await folder.run('site', 'in', 'zrh-1');
  await folder.run('site', 'repair', 'zrh-2');
  await folder.run('route', '--once');
  expect((await folder.json(0, 'reconcile')).at(-1)).toMatchObject({ differences: 0 });
});

it('a register that cannot be used is passed over with a note, and everything is read', async () => {
  const register = join(folder.path, '.residency', 'register-zurich');
  const out = async (name: string): Promise<readonly [unknown, string]> => {
    const {
      code,
      out: line,
      err,
    } = await folder.run('site', 'out', name, '--reason', 'x', '--json');
    expect(code).toBe(0);
    return [JSON.parse(line), err];
  };
  await writeFile(register, 'no register');
  const [passedOver, err] = await out('zrh-1');
  expect(passedOver).toMatchObject({ claims: 0, auditRecordsRead: 3 });
  expect(err).toContain('REGISTER_UNREADABLE');
  await folder.run('site', 'in', 'zrh-1');
  await rm(register);
  expect(await out('zrh-2')).toEqual([
    expect.objectContaining({ serving: ['zrh-1'], auditRecordsRead: 3 }),
    '',
  ]);
});

/** The newest sample of Zurich as `sample list` has it, which `status` agrees with, and its line there. */
async function whereaboutsOfNewest(): Promise<{ sample: object; text: string }> {
  const newest = (await folder.json(0, 'sample', 'list', '--region', 'zurich')).at(-1);
  const submission = String(newest?.['submission']);
  const sample = { sites: newest?.['sites'], owed: newest?.['owed'] };
  const [status] = await folder.json(0, 'status', submission);
  expect(status?.['outcomes']).toEqual([expect.objectContaining(sample)]);
  return { sample, text: (await folder.run('status', submission)).out };
}

it('a later site that is out is not asked, and gets what it missed', async () => {
  await rename(site('zrh-2'), away('zrh-2'));
  await folder.run('site', 'out', 'zrh-2', '--reason', 'maintenance');
  await publishSamples(folder, 'four');
  expect((await folder.run('route', '--once')).code).toBe(0);
  await rename(away('zrh-2'), site('zrh-2'));
  expect((await whereaboutsOfNewest()).sample).toEqual({ sites: ['zrh-1'], owed: [] });
  await folder.run('site', 'in', 'zrh-2');
  const owing = await whereaboutsOfNewest();
  expect(owing.sample).toEqual({ sites: ['zrh-1'], owed: ['zrh-2'] });
  expect(owing.text).toContain('zrh-1, owed: zrh-2');
  await folder.run('route', '--once');
  expect((await whereaboutsOfNewest()).sample).toEqual({ sites: ['zrh-1', 'zrh-2'], owed: [] });
  expect(await outcomes()).toEqual({ stored: 4 });
  expect((await folder.json(0, 'reconcile')).at(-1)).toMatchObject({ differences: 0 });
});

it('a command that is killed is finished by the same command, or ended by --abort', async () => {
  await openChange();
  await publishSamples(folder, 'four');
  expect((await folder.run('route', '--once')).err).toContain('ARBITER_CLOSING');
  const other = await folder.run('site', 'out', 'zrh-2', '--reason', 'x');
  expect([other.code, other.err]).toEqual([3, expect.stringContaining('ARBITER_CHANGING')]);
  const [aborted] = await folder.json(0, 'site', 'out', 'zrh-1', '--abort');
  expect(aborted).toMatchObject({ serving: ['zrh-1', 'zrh-2'], arbiterChanges: 0 });
  await openChange();
  expect(await folder.json(0, 'site', 'out', 'zrh-1', '--reason', 'fire')).toMatchObject([
    { serving: ['zrh-2'], arbiterChanges: 1, claims: 0 },
  ]);
  expect((await folder.run('route', '--once')).code).toBe(0);
  expect(await outcomes()).toEqual({ stored: 4 });
});

it('while a site is out, a further one is published, and reconcile says what it did not compare', async () => {
  await rename(site('zrh-1'), away('zrh-1'));
  await folder.run('site', 'out', 'zrh-1', '--reason', 'fire');
  const { code, err } = await folder.run('reconcile');
  expect([code, err]).toEqual([0, expect.stringContaining('zrh-1 is out of service')]);
  const shown = (await folder.run('policy', 'show', '--json')).out;
  const version = JSON.parse(shown) as {
    readonly document: { readonly regions: readonly { readonly id: string }[] };
  };
  const regions = version.document.regions.map((one) =>
    one.id === 'zurich' ? { ...one, sites: ['zrh-1', 'zrh-2', 'zrh-3'] } : one,
  );
  await writeFile(
    join(folder.path, 'more.json'),
    JSON.stringify({
      ...version.document,
      version: 2,
      effectiveFrom: new Date(Date.now() + 60_000).toISOString(),
      regions,
    }),
  );
  expect((await folder.run('policy', 'publish', 'more.json')).code).toBe(0);
});

it('a site with objects of no stored sample is not taken in', async () => {
  // Its record waits: what it wrote to zrh-1 is of an earlier arbiter's time then.
  const { key, sealed, metadata } = exampleObject('stranger');
  await folder.run('site', 'out', 'zrh-1', '--reason', 'a drill');
  const store = new FilesystemObjectStore(site('zrh-1'), { site: 'zrh-1', region: 'zurich' });
  await store.create(key, sealed, metadata);
  await store.flush();
  const refused = await folder.run('site', 'in', 'zrh-1');
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('SITE_HAS_STRANGERS')]);
  expect(refused.err).toContain(key);
  const names = await readdir(site('zrh-1'), { recursive: true });
  const [found = ''] = names.filter((name) => name.endsWith(basename(key)));
  await rm(join(site('zrh-1'), found));
  expect(await folder.json(0, 'site', 'in', 'zrh-1')).toMatchObject([{ out: [] }]);
});

/** What a command leaves that was killed after its first event. */
async function openChange(): Promise<void> {
  const log = await openSqliteLog({
    file: join(folder.path, '.residency', 'log.db'),
    now: Date.now,
  });
  const act = randomUUID();
  const data = { act, region: 'zurich', site: 'zrh-1', next: 'zrh-2', reason: 'fire' };
  await log.append([controlEntry({ type: ARBITER_CLOSING, data }, act, SALT)]);
  await log.close();
}

it('what cannot be done is refused, and changes nothing', async () => {
  const before = (await folder.run('audit', 'list', '--control')).out;
  for (const [code, says, ...args] of [
    [2, 'zrh-9', 'out', 'zrh-9', '--reason', 'x'],
    [2, '--reason', 'out', 'zrh-1'],
    [1, 'LAST_SITE', 'out', 'mow-1', '--reason', 'x'],
    [1, 'NOTHING_TO_ABORT', 'out', 'zrh-1', '--abort'],
    [0, 'in service already', 'in', 'zrh-1'],
  ] as const) {
    const { code: found, out, err } = await folder.run('site', ...args);
    expect([found, `${out}${err}`]).toEqual([code, expect.stringContaining(says)]);
  }
  expect((await folder.run('audit', 'list', '--control')).out).toBe(before);
});
