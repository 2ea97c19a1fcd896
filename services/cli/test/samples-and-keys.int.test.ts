import { cp, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { lockRouting } from '@residency/standalone';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { alterLog, makeFolder } from './residency.ts';
import type { Folder } from './residency.ts';

let folder: Folder;
let submission: string;
const here = (...names: readonly string[]): string => join(folder.path, ...names);
const objectIn = (site: string): string =>
  here('.residency/sites', site, 'samples', submission.slice(0, 1), submission);

beforeAll(async () => {
  folder = await makeFolder();
  await writeFile(here('f'), 'the sample');
  await folder.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 's');
  const [published] = await folder.json(
    0,
    'publish',
    'f',
    '--country',
    'CH',
    '--consent',
    'consent-0001',
  );
  submission = String(published?.['submission']);
  await folder.json(0, 'route', '--once');
});
afterAll(() => folder.remove());

it('a sample opens to a new file for its owner only, from another site where the first is damaged', async () => {
  expect(
    await folder.json(0, 'sample', 'open', submission, '--region', 'zurich', '--out', 'one'),
  ).toMatchObject([{ submission, region: 'zurich', site: 'zrh-1', bytes: 10, out: 'one' }]);
  expect([await readFile(here('one'), 'utf8'), (await stat(here('one'))).mode & 0o777]).toEqual([
    'the sample',
    0o600,
  ]);
  await writeFile(here('one'), 'mine');
  const refused = await folder.run(
    'sample',
    'open',
    submission,
    '--region',
    'zurich',
    '--out',
    'one',
  );
  expect([refused.code, refused.err, await readFile(here('one'), 'utf8')]).toEqual([
    2,
    expect.stringContaining('FILE_EXISTS'),
    'mine',
  ]);
  for (const [region, out] of [
    ['moscow', 'two'],
    ['atlantis', 'two'],
    ['zurich', 'no/such/folder'],
  ] as const)
    expect(
      (await folder.run('sample', 'open', submission, '--region', region, '--out', out)).code,
    ).toBe(2);

  const whole = await readFile(objectIn('zrh-1'));
  const damaged = Buffer.from(whole);
  damaged[damaged.length - 1] = (damaged.at(-1) ?? 0) ^ 1;
  await writeFile(objectIn('zrh-1'), damaged);
  try {
    expect(
      await folder.json(0, 'sample', 'open', submission, '--region', 'zurich', '--out', 'three'),
    ).toMatchObject([{ site: 'zrh-2' }]);
    expect(await readFile(here('three'), 'utf8')).toBe('the sample');
    const lines = await folder.json(1, 'reconcile', '--open');
    expect(lines.map(({ code }) => code)).toContain('CIPHERTEXT_DIFFERS');
    expect(lines.at(-1)).toMatchObject({
      objects: 2,
      events: { stored: 1 },
      storedChecked: 1,
      opened: 1,
    });

    await rename(objectIn('zrh-2'), here('away'));
    const none = await folder.run(
      'sample',
      'open',
      submission,
      '--region',
      'zurich',
      '--out',
      'four',
    );
    expect([none.code, none.err]).toEqual([1, expect.stringContaining('DOES_NOT_OPEN')]);
    await expect(stat(here('four'))).rejects.toMatchObject({ code: 'ENOENT' });
    await rename(here('away'), objectIn('zrh-2'));
  } finally {
    await writeFile(objectIn('zrh-1'), whole);
  }
});

it('keys are added, seal at once, and retire but for the last', async () => {
  const states = async (): Promise<unknown[]> =>
    (await folder.json(0, 'keys', 'list'))
      .filter(({ region }) => region === 'zurich')
      .map(({ state }) => state);
  expect(await states()).toEqual(['seals']);
  const [first] = (await folder.json(0, 'keys', 'list')).filter(
    ({ region }) => region === 'zurich',
  );
  expect((await folder.run('keys', 'retire', String(first?.['key']))).code).toBe(2);
  const [added] = await folder.json(0, 'keys', 'add', '--region', 'zurich');
  expect(await states()).toEqual(['opens', 'seals']);
  const file = here('.residency/keys/zurich', `${String(added?.['key'])}.private.pem`);
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect((await folder.run('keys', 'retire', String(first?.['key']))).out).toContain(
    'seals no more',
  );
  expect(await states()).toEqual(['retired', 'seals']);
  expect([
    (await folder.run('keys', 'retire', 'zurich-none')).code,
    (await folder.run('keys', 'add', '--region', 'atlantis')).code,
  ]).toEqual([2, 2]);
  expect(await folder.json(0, 'reconcile', '--open')).toMatchObject([
    { opened: 2, differences: 0 },
  ]);
  await rm(here('one'), { force: true });
});

/** As somebody with the file and a SQLite of their own. */
function tamper(sql: string): void {
  alterLog(here('.residency/log.db'), sql);
}

it('reconcile finds what hides among the sites, in their housekeeping, behind a link and behind the look-up table', async () => {
  const sealed = await readFile(objectIn('zrh-1'));
  const mow = (...names: readonly string[]): string => here('.residency/sites/mow-1', ...names);
  await mkdir(mow('metadata/ab'));
  await writeFile(mow('metadata/ab', 'ab'.repeat(32)), sealed);
  await writeFile(mow('tmp/0f8fad5b-d9cb-469f-a165-70867728950e'), sealed);
  await cp(here('.residency/sites/zrh-1'), here('.residency/sites/xyz-9'), { recursive: true });
  await rename(objectIn('zrh-2'), here('moved'));
  await symlink(here('moved'), objectIn('zrh-2'));
  tamper('CREATE TABLE kept AS SELECT * FROM audit; DELETE FROM audit');
  try {
    expect((await folder.json(1, 'reconcile')).at(-1)).toMatchObject({
      byCode: {
        FOREIGN_OBJECT: 3,
        FOREIGN_SITE: 1,
        OBJECT_MISSING: 1,
        LOOKUP_DIFFERS: expect.any(Number),
      },
    });
    const lock = await lockRouting({ path: here('.residency') });
    // A file in tmp/ may belong to a running router.
    expect((await folder.json(1, 'reconcile')).at(-1)).toMatchObject({
      byCode: { FOREIGN_OBJECT: 2 },
    });
    await lock.release();
  } finally {
    tamper('INSERT INTO audit SELECT * FROM kept; DROP TABLE kept');
    await rm(objectIn('zrh-2'));
    await rename(here('moved'), objectIn('zrh-2'));
    for (const gone of [
      mow('metadata/ab'),
      mow('tmp/0f8fad5b-d9cb-469f-a165-70867728950e'),
      here('.residency/sites/xyz-9'),
    ])
      await rm(gone, { recursive: true });
  }
  expect((await folder.json(0, 'reconcile')).at(-1)).toMatchObject({ differences: 0 });
});

it('a site that is not mounted is not reachable: routing waits, reconciling and opening say so', async () => {
  await writeFile(here('g'), 'another');
  await folder.json(0, 'publish', 'g', '--country', 'CH', '--consent', 'consent-0001');
  await rename(here('.residency/sites/zrh-1'), here('unmounted'));
  try {
    for (const [code, ...command] of [
      ['SITE_NOT_CONFIGURED', 'route', '--once'],
      ['SITE_MARKER_MISSING', 'reconcile'],
    ]) {
      const ended = await folder.run(...command);
      expect([ended.code, ended.err]).toEqual([3, expect.stringContaining(code ?? '')]);
    }
  } finally {
    await rename(here('unmounted'), here('.residency/sites/zrh-1'));
  }
  expect(await folder.json(0, 'route', '--once')).toMatchObject([
    { submissions: 1, outcomes: [{ outcome: 'stored' }] },
  ]);
});
