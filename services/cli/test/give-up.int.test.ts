import { cp, mkdir, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { publishSamples, temporaryFolder } from './residency.ts';
import type { Folder, Row } from './residency.ts';
import { start } from './start.ts';

const REASON = ['--reason', 'zrh-1 burned'];
const UNKNOWN = 'a'.repeat(64);

const site = (folder: Folder, name: string): string =>
  join(folder.path, '.residency', 'sites', name);

/** A data directory with these samples in both sites of Zurich. */
async function stored(...names: readonly string[]): Promise<Folder> {
  const folder = await temporaryFolder();
  await folder.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 'CANARY-S');
  await publishSamples(folder, ...names);
  await folder.run('route', '--once');
  return folder;
}

async function empty(folder: Folder, ...names: readonly string[]): Promise<void> {
  for (const name of names) {
    await rm(join(site(folder, name), 'samples'), { recursive: true });
    await mkdir(join(site(folder, name), 'samples'));
  }
}

const listed = (folder: Folder): Promise<readonly Row[]> =>
  folder.json(0, 'sample', 'list', '--region', 'zurich');

const submissionsOf = async (folder: Folder): Promise<readonly string[]> =>
  (await listed(folder)).map(({ submission }) => String(submission));

async function outcomes(folder: Folder): Promise<readonly string[]> {
  const events = await folder.json(0, 'audit', 'list');
  return events.map((event) => String(event['type']).split('.')[2] ?? '');
}

async function planned(folder: Folder, ...args: readonly string[]): Promise<string> {
  const plan = await folder.json(0, 'sample', 'give-up', ...args, ...REASON);
  return String(plan.at(-1)?.['digest']);
}

const reconciled = async (folder: Folder, code: 0 | 1): Promise<Row | undefined> =>
  (await folder.json(code, 'reconcile')).at(-1);

describe('a region that lost samples with its arbiter', () => {
  it('gives them up once every site answers, stores them anew, and counts no loss again', async () => {
    const folder = await stored('one', 'two', 'three');
    const submissions = await submissionsOf(folder);
    await cp(site(folder, 'zrh-1'), join(folder.path, 'backup'), { recursive: true });
    // zrh-2 has none of them, and zrh-1 burns.
    await empty(folder, 'zrh-2');
    await rename(site(folder, 'zrh-1'), join(folder.path, 'burned'));
    const out = ['site', 'out', 'zrh-1', '--reason', 'fire', '--accept-loss'];
    expect(await folder.json(0, ...out)).toMatchObject([{ claims: 3, unheld: 3 }]);
    const named = ['--submission', ...submissions];
    const digest = await planned(folder, ...named);
    const yes = ['sample', 'give-up', ...named, ...REASON, '--yes', digest];
    const [order] = await folder.json(0, ...yes, '--no-wait');
    await publishSamples(folder, 'one');
    await folder.run('route', '--once');
    expect((await outcomes(folder)).at(-1)).toBe('duplicate');
    expect(await folder.json(0, 'audit', 'losses')).toEqual(
      submissions.toSorted().map((submission) => ({
        order: order?.['order'],
        ordered: expect.any(String),
        region: 'zurich',
        reason: 'zrh-1 burned',
        submission,
        state: 'waiting',
      })),
    );
    // Another folder in its place.
    await folder.json(0, 'site', 'rebuild', 'zrh-1');
    await folder.json(0, 'site', 'in', 'zrh-1');
    await folder.run('route', '--once');
    const losses = await folder.json(0, 'audit', 'losses', '--order', String(order?.['order']));
    expect(losses.map(({ state }) => state)).toEqual(['lost', 'lost', 'lost']);
    expect(losses.map(({ claim }) => claim)).toEqual(['stands', 'stands', 'stands']);
    const told = await folder.run('audit', 'losses');
    expect(told.out).toMatch(/claims of 3 lost samples stand.*Repeat `residency sample give-up`/);
    // The claims stand until the command ends them.
    await publishSamples(folder, 'one');
    await folder.run('route', '--once');
    expect((await outcomes(folder)).at(-1)).toBe('duplicate');
    expect(await folder.json(0, ...yes)).toEqual([{ lost: 3, notLost: 0, claimsEnded: 3 }]);
    expect(await folder.json(0, ...yes)).toEqual([{ lost: 3, notLost: 0, claimsEnded: 0 }]);
    const ended = await folder.json(0, 'audit', 'losses');
    expect(ended.map(({ claim }) => claim)).toEqual([undefined, undefined, undefined]);
    expect((await folder.run('audit', 'losses')).out).not.toContain('Repeat');
    expect(await reconciled(folder, 0)).toMatchObject({ differences: 0, lost: 3 });
    await publishSamples(folder, 'one', 'two');
    await folder.run('route', '--once');
    expect((await outcomes(folder)).slice(-2)).toEqual(['stored', 'stored']);
    expect(await reconciled(folder, 0)).toMatchObject({ differences: 0, lost: 3 });
    const [first, ...others] = await listed(folder);
    expect(first).toMatchObject({
      submission: submissions[0],
      sites: [],
      owed: [],
      lost: { order: order?.['order'], at: expect.any(String) },
    });
    expect(others.at(-1)).toMatchObject({ sites: ['zrh-2', 'zrh-1'] });
    expect((await folder.run('status', submissions[0] ?? '')).out).toMatch(/lost 2\S+Z, order/);
    expect(await folder.json(0, 'audit', 'replay')).toMatchObject([
      {
        byHolding: [
          { site: 'zrh-1', copies: 2, lost: 3 },
          { site: 'zrh-2', copies: 2, lost: 3 },
        ],
        custody: [{ lost: 0 }, { lost: 3 }],
      },
    ]);
    // A new change of the arbiter neither counts nor claims them.
    const again = ['site', 'out', 'zrh-2', '--reason', 'maintenance'];
    expect(await folder.json(0, ...again)).toMatchObject([{ claims: 0, unheld: 0 }]);
    await folder.json(0, 'site', 'in', 'zrh-2');
    // A backup of zrh-1 brings one back that was not stored anew.
    const names = await readdir(join(folder.path, 'backup', 'samples'), { recursive: true });
    const name = names.find((one) => basename(one) === submissions[2]) ?? '';
    await cp(
      join(folder.path, 'backup', 'samples', name),
      join(site(folder, 'zrh-1'), 'samples', name),
      { recursive: true },
    );
    expect(await reconciled(folder, 1)).toMatchObject({ byCode: { LOST_BUT_PRESENT: 1 } });
  });

  it('gives up what a repair could not make anew, and nothing that a site has', async () => {
    const folder = await stored('one', 'two');
    const [one = '', two = ''] = await submissionsOf(folder);
    const running = await start(folder);
    await empty(folder, 'zrh-1');
    for (const name of ['zrh-1', 'zrh-2'])
      await rm(await objectOf(folder, name, one), { force: true });
    const [repair] = await folder.json(1, 'site', 'repair', 'zrh-1', '--wait');
    const act = String(repair?.['order']);
    const digest = await planned(folder, '--order', act);
    const yes = ['sample', 'give-up', '--order', act, ...REASON, '--yes'];
    const changed = await folder.run(...yes, 'f'.repeat(64));
    expect([changed.code, changed.err]).toEqual([1, expect.stringContaining('PLAN_CHANGED')]);
    expect(await folder.json(0, ...yes, digest)).toEqual([
      expect.objectContaining({ submission: one, state: 'lost' }),
      { lost: 1, notLost: 0, claimsEnded: 0 },
    ]);
    const both = await planned(folder, '--submission', one, two);
    const named = ['sample', 'give-up', '--submission', one, two, ...REASON, '--yes', both];
    expect(await folder.json(1, ...named)).toEqual([
      expect.objectContaining({ submission: two, state: 'refused', code: 'HELD' }),
      { lost: 1, notLost: 1, claimsEnded: 0 },
    ]);
    expect((await folder.run(...named)).out).toContain('HELD');
    const proof = ['audit', 'prove', one, '--custody', 'zurich', '--out', 'proof'];
    await expect.poll(async () => (await folder.run(...proof)).code, { timeout: 60_000 }).toBe(0);
    const keys = (await folder.run('audit', 'key', 'show')).out.split('\n');
    const key = keys.find((line) => line.includes('residency.custody.zurich')) ?? '';
    expect(await folder.json(0, 'audit', 'verify', 'proof', '--key', key)).toEqual([
      expect.objectContaining({
        verified: true,
        custody: 'residency.sample.lost.v1',
        sites: 'zrh-1 zrh-2',
      }),
    ]);
    await running.stop('SIGTERM');
    expect(await reconciled(folder, 0)).toMatchObject({ differences: 0, lost: 1 });
  });
});

it('names a retired site that has a copy, and takes no object of a lost sample in', async () => {
  const folder = await stored('one', 'two');
  const [one = '', two = ''] = await submissionsOf(folder);
  await folder.json(0, 'site', 'retire', 'zrh-2', '--reason', 'the lease ended');
  await rm(await objectOf(folder, 'zrh-1', one));
  const named = ['sample', 'give-up', '--submission', one, ...REASON];
  const [sample, plan] = await folder.json(0, ...named);
  expect(sample).toMatchObject({ copies: ['zrh-1', 'zrh-2'], out: [], retired: ['zrh-2'] });
  expect((await folder.run(...named)).out).toMatch(/retired site has a copy \(zrh-2\).*site in/);
  await folder.json(0, ...named, '--yes', String(plan?.['digest']), '--no-wait');
  await folder.run('route', '--once');
  expect(await folder.json(0, 'audit', 'losses')).toMatchObject([{ state: 'lost' }]);
  const refused = await folder.run('site', 'in', 'zrh-2');
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('SITE_HAS_STRANGERS')]);
  expect(refused.err).toContain(one);
  expect(refused.err).not.toContain(two);
  await rm(await objectOf(folder, 'zrh-2', one));
  await folder.json(0, 'site', 'in', 'zrh-2');
});

it('the erasure of a lost sample ends, and spares the one that its identity is stored anew as', async () => {
  const folder = await stored('one');
  const named = ['--submission', ...(await submissionsOf(folder))];
  await empty(folder, 'zrh-1', 'zrh-2');
  const yes = ['sample', 'give-up', ...named, ...REASON, '--yes', await planned(folder, ...named)];
  await folder.json(0, ...yes, '--no-wait');
  await folder.run('route', '--once');
  expect(await folder.json(0, ...yes)).toMatchObject([{ lost: 1 }]);
  const consent = ['--consent', 'consent-0001'];
  await folder.json(0, 'consent', 'withdraw', ...consent);
  const other = ['--consent', 'consent-0002'];
  await folder.json(0, 'consent', 'grant', ...other, '--subject', 'CANARY-S');
  await folder.json(
    0,
    'publish',
    'one',
    '--country',
    'CH',
    ...other,
    '--source',
    'urn:test',
    '--again',
  );
  await folder.run('route', '--once');
  const plan = await folder.json(0, 'erase', ...consent, ...REASON);
  const digest = String(plan.at(-1)?.['digest']);
  const [order, done] = await folder.json(0, 'erase', ...consent, ...REASON, '--yes', digest);
  expect(done).toEqual({ erased: 1, held: 0 });
  await folder.run('route', '--once');
  const [shown] = await folder.json(0, 'audit', 'erasures', '--order', String(order?.['order']));
  expect(shown).toMatchObject({ stored: 1, erased: 1, waiting: 0 });
  expect(shown).not.toHaveProperty('completedAt');
  expect(await listed(folder)).toMatchObject([{ sites: [] }, { sites: ['zrh-1', 'zrh-2'] }]);
  expect(await reconciled(folder, 0)).toMatchObject({ differences: 0, lost: 1 });
});

/** The file of a submission's object in a site; a path that does not exist if there is none. */
async function objectOf(folder: Folder, name: string, submission: string): Promise<string> {
  const samples = join(site(folder, name), 'samples');
  const names = await readdir(samples, { recursive: true });
  return join(samples, names.find((one) => basename(one) === submission) ?? 'none');
}

it('refuses what is named wrongly', async () => {
  const folder = await stored('one');
  const [submission = ''] = await submissionsOf(folder);
  await writeFile(join(folder.path, 'list.txt'), `${UNKNOWN}\n`);
  const run = async (...args: readonly string[]) => {
    const { code, err } = await folder.run('sample', 'give-up', ...args);
    return [code, /[A-Z]+_[A-Z_]+/.exec(err)?.[0] ?? err];
  };
  expect(await run('--submission', submission)).toEqual([2, expect.any(String)]);
  expect((await run(...REASON))[0]).toBe(2);
  expect((await run('--submission', 'x', ...REASON))[0]).toBe(2);
  expect((await run('--submission', submission, '--reason', 'a\nb'))[0]).toBe(2);
  expect((await run('--order', 'x', ...REASON))[0]).toBe(2);
  expect(await run('--from', 'list.txt', ...REASON)).toEqual([1, 'SUBMISSION_UNKNOWN']);
  expect(await run('--submission', submission, '--region', 'moscow', ...REASON)).toEqual([
    1,
    'SUBMISSION_UNKNOWN',
  ]);
  const unknown = await folder.run(
    'audit',
    'losses',
    '--order',
    '0d3f5c1e-7a54-4f0e-9a56-2f6f3c1b8a10',
  );
  expect([unknown.code, unknown.err]).toEqual([1, expect.stringContaining('ORDER_UNKNOWN')]);
});
