import { readFile, readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { publishSamples, temporaryFolder } from './residency.ts';
import type { Folder, Row } from './residency.ts';
import { start } from './start.ts';

const REASON = ['--reason', 'request 4711'];
const SITES = ['zrh-1', 'zrh-2'];

/** A data directory with these samples of `consent-0001` in Zurich; the consent is withdrawn. */
async function withdrawn(...names: readonly string[]): Promise<Folder> {
  const folder = await temporaryFolder();
  await folder.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 'CANARY-S');
  await publishSamples(folder, ...names);
  await folder.run('route', '--once');
  await folder.json(0, 'consent', 'withdraw', '--consent', 'consent-0001');
  return folder;
}

const listed = (folder: Folder): Promise<readonly Row[]> =>
  folder.json(0, 'sample', 'list', '--region', 'zurich');

const submissionsOf = async (folder: Folder): Promise<readonly string[]> =>
  (await listed(folder)).map(({ submission }) => String(submission));

/** The bytes that each site of Zurich has of a sample. */
async function objectsOf(folder: Folder, submission: string): Promise<readonly Buffer[]> {
  return await Promise.all(
    SITES.map(async (site) => {
      const samples = join(folder.path, '.residency', 'sites', site, 'samples');
      const names = await readdir(samples, { recursive: true });
      const [name = ''] = names.filter((one) => basename(one) === submission);
      return await readFile(join(samples, name));
    }),
  );
}

async function ordered(folder: Folder, ...args: readonly string[]): Promise<readonly Row[]> {
  const plan = await folder.json(0, 'erase', ...args, ...REASON);
  const digest = String(plan.at(-1)?.['digest']);
  return await folder.json(0, 'erase', ...args, ...REASON, '--yes', digest);
}

/** Every file of the sites that has a sealed sample: its encryption context names the region. */
async function sealedIn(folder: Folder): Promise<readonly string[]> {
  const sites = join(folder.path, '.residency', 'sites');
  const found: string[] = [];
  for (const entry of await readdir(sites, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && (await readFile(path)).includes('residency/zurich')) found.push(path);
  }
  return found;
}

/** Whether a file of the log has these bytes, or their base64 within a JSON document. */
async function intakeHas(folder: Folder, sample: string): Promise<boolean> {
  const directory = join(folder.path, '.residency');
  const names = (await readdir(directory)).filter((name) => name.startsWith('log.db'));
  const files = await Promise.all(names.map((name) => readFile(join(directory, name))));
  const encoded = Buffer.from(sample).toString('base64');
  return files.some((file) => file.includes(sample) || file.includes(encoded));
}

describe('an erasure', () => {
  it('leaves no ciphertext in any site, is refused to return, and gives receipts that verify', async () => {
    const folder = await withdrawn('a', 'b');
    const submissions = await submissionsOf(folder);
    expect(await sealedIn(folder)).toHaveLength(4);
    expect(await intakeHas(folder, 'sample b')).toBe(true);
    const running = await start(folder);
    const [order, done] = await ordered(folder, '--subject', 'CANARY-S');
    expect(done).toEqual({ erased: 2, held: 0 });
    expect(await sealedIn(folder)).toEqual([]);
    await expect.poll(() => intakeHas(folder, 'sample b'), { timeout: 10_000 }).toBe(false);
    for (const submission of submissions)
      for (const object of await objectsOf(folder, submission))
        expect(object.toString()).toContain(String(order?.['order']));
    const erased = {
      order: order?.['order'],
      at: expect.stringMatching(/^2\d{3}-.*Z$/),
      sites: ['zrh-1', 'zrh-2'],
    };
    expect(await listed(folder)).toEqual(
      submissions.map(() => expect.objectContaining({ sites: [], owed: [], erased })),
    );
    const shown = new RegExp(`erased 2\\S+Z, order ${String(order?.['order'])}`);
    expect((await folder.run('sample', 'list', '--region', 'zurich')).out).toMatch(shown);
    expect((await folder.run('status', submissions[0] ?? '')).out).toMatch(shown);
    const [replayed] = await folder.json(0, 'audit', 'replay');
    expect(replayed).toMatchObject({
      byHolding: ['zrh-1', 'zrh-2'].map((site) => ({
        region: 'zurich',
        site,
        copies: 0,
        sealedBytes: 0,
        erased: 2,
      })),
      custody: [{ erased: 0 }, { erased: 2 }],
    });
    const args = ['sample', 'open', submissions[0] ?? '', '--region', 'zurich', '--out', 'none'];
    const opened = await folder.run(...args);
    expect([opened.code, opened.err]).toEqual([1, expect.stringContaining('SAMPLE_ERASED')]);
    const act = String(order?.['order']);
    expect(await folder.json(0, 'audit', 'erasures')).toEqual([
      expect.objectContaining({
        order: act,
        region: 'zurich',
        named: 1,
        stored: 2,
        erased: 2,
        waiting: 0,
        held: 0,
        reason: 'request 4711',
        completedAt: expect.any(String),
      }),
    ]);
    expect(await folder.json(0, 'audit', 'erasures', '--order', act, '--samples')).toEqual(
      submissions.map((submission) =>
        expect.objectContaining({ submission, state: 'erased', sites: 'zrh-1 zrh-2' }),
      ),
    );
    await expect
      .poll(
        async () => (await folder.run('audit', 'erasures', '--order', act, '--receipt', 'r')).err,
      )
      .toBe('');
    await running.stop('SIGTERM');
    const page = await readFile(join(folder.path, 'r', 'receipt.md'), 'utf8');
    for (const submission of submissions) expect(page).toContain(submission);
    const commands = [...page.matchAll(/residency audit verify (\S+) --key "(\S+)"/g)];
    expect(commands).toHaveLength(1);
    const key = commands[0]?.[2] ?? '';
    const receipts = (await readdir(join(folder.path, 'r'))).filter((name) =>
      name.endsWith('proof'),
    );
    expect(receipts).toHaveLength(2);
    for (const receipt of receipts)
      expect(await folder.json(0, 'audit', 'verify', join('r', receipt), '--key', key)).toEqual([
        expect.objectContaining({
          verified: true,
          custody: 'residency.sample.erased.v1',
          sites: 'zrh-1 zrh-2',
        }),
      ]);
    // The same samples again, with a new consent.
    await folder.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 'another');
    await publishSamples(folder, 'a', 'b');
    expect(await intakeHas(folder, 'sample a')).toBe(true);
    await folder.run('route', '--once');
    for (const name of ['a', 'b']) expect(await intakeHas(folder, `sample ${name}`)).toBe(false);
    expect((await folder.json(0, 'audit', 'list', '--outcome', 'refused')).length).toBe(2);
    expect((await folder.run('audit', 'list', '--outcome', 'refused')).out).toContain('ERASED');
    expect(await sealedIn(folder)).toEqual([]);
    // No link to the subject, in any file.
    const log = await readFile(join(folder.path, '.residency', 'log.db'));
    const link = JSON.stringify({ consentId: 'consent-0001', subject: 'CANARY-S' });
    expect(log.includes(Buffer.from(link).toString('base64'))).toBe(false);
    expect((await folder.run('erase', '--subject', 'CANARY-S', ...REASON)).err).toContain(
      'SUBJECT_UNKNOWN',
    );
    expect((await folder.json(0, 'reconcile')).at(-1)).toMatchObject({ differences: 0 });
  });

  it('leaves what is on hold until the hold is lifted', async () => {
    const folder = await withdrawn('a', 'b');
    const [first = '', second = ''] = await submissionsOf(folder);
    const [hold] = await folder.json(0, 'hold', 'place', '--submission', first, ...REASON);
    const plan = await folder.json(0, 'erase', '--consent', 'consent-0001', ...REASON);
    const yes = ['erase', '--consent', 'consent-0001', ...REASON, '--yes'];
    await folder.json(0, ...yes, String(plan.at(-1)?.['digest']), '--no-wait');
    await folder.run('route', '--once');
    expect(await folder.json(0, 'audit', 'erasures')).toEqual([
      expect.objectContaining({ stored: 2, erased: 1, held: 1, waiting: 0 }),
    ]);
    const sizes = async (submission: string): Promise<readonly number[]> =>
      (await objectsOf(folder, submission)).map(({ length }) => length);
    const [kept = 0] = await sizes(first);
    const [gone = 0] = await sizes(second);
    expect(kept).toBeGreaterThan(gone);
    await folder.json(0, 'hold', 'lift', String(hold?.['hold']), '--reason', 'over');
    await folder.run('route', '--once');
    expect(await sizes(first)).toEqual([gone, gone]);
    expect(await folder.json(0, ...yes, String(plan.at(-1)?.['digest']))).toEqual([
      { erased: 2, held: 0 },
    ]);
  });

  it('says which sites out of service keep a copy, in the list and in the receipt', async () => {
    const folder = await withdrawn('a');
    await folder.json(0, 'site', 'out', 'zrh-2', '--reason', 'away');
    const plan = await folder.json(0, 'erase', '--consent', 'consent-0001', ...REASON);
    const digest = String(plan.at(-1)?.['digest']);
    const yes = ['erase', '--consent', 'consent-0001', ...REASON, '--yes', digest];
    const [order] = await folder.json(0, ...yes, '--no-wait');
    const act = String(order?.['order']);
    const early = await folder.run('audit', 'erasures', '--order', act, '--receipt', 'r');
    expect([early.code, early.err]).toEqual([2, expect.stringContaining('found none yet')]);
    await folder.run('route', '--once');
    expect(await folder.json(0, 'audit', 'erasures')).toEqual([
      expect.objectContaining({ erased: 1, keptBySitesOut: 'zrh-2 1' }),
    ]);
    expect((await folder.run('audit', 'erasures', '--format', 'csv')).out).toMatch(
      /^at,order,by,.*\r\n.*,zurich,1,1,1,0,0,zrh-2 1,,.*,request 4711\r\n$/,
    );
    await folder.json(0, 'audit', 'erasures', '--order', act, '--samples');
    expect((await folder.run('audit', 'erasures', '--order', act, '--receipt', 'r')).code).toBe(0);
    const page = await readFile(join(folder.path, 'r', 'receipt.md'), 'utf8');
    expect(page).toContain('the site zrh-2');
    expect(page).toContain('the custodian deletes it with the sample');
    await folder.json(0, 'site', 'retire', 'zrh-2', '--reason', 'gone');
    expect(await folder.json(0, 'audit', 'erasures')).toEqual([
      expect.objectContaining({ erased: 1, keptBySitesOut: '', keptByRetired: 'zrh-2 1' }),
    ]);
    await folder.run('audit', 'erasures', '--order', act, '--receipt', 'retired');
    expect(await readFile(join(folder.path, 'retired', 'receipt.md'), 'utf8')).toContain(
      'the site zrh-2 (region zurich) is retired and keeps its copy',
    );
    const again = await folder.run('audit', 'erasures', '--order', act, '--receipt', 'r');
    expect([again.code, again.err]).toEqual([2, expect.stringContaining('FILE_EXISTS')]);
    await folder.json(0, 'site', 'in', 'zrh-2');
    await folder.run('route', '--once');
    expect(await folder.json(0, 'audit', 'erasures')).toEqual([
      expect.objectContaining({ erased: 1, keptBySitesOut: '' }),
    ]);
    expect(await sealedIn(folder)).toEqual([]);
  });
});

it('audit erasures selects by time, order and reason, and refuses an order that is none', async () => {
  const folder = await withdrawn('a');
  expect((await folder.run('audit', 'erasures')).err).toContain('Nothing was ordered');
  const plan = await folder.json(0, 'erase', '--consent', 'consent-0001', ...REASON);
  const yes = ['--yes', String(plan.at(-1)?.['digest']), '--no-wait'];
  const [order] = await folder.json(0, 'erase', '--consent', 'consent-0001', ...REASON, ...yes);
  const act = String(order?.['order']);
  for (const [args, count] of [
    [['--reason', '4711'], 1],
    [['--reason', '4712'], 0],
    [['--from', '2020-01-01', '--to', '2020-01-02'], 0],
    [['--from', '2020-01-01'], 1],
  ] as const)
    expect(await folder.json(0, 'audit', 'erasures', ...args)).toHaveLength(count);
  for (const [args, code, text] of [
    [['--order', '3f0c2c51-9d0b-4c7e-8a25-6b1f0f1f9a10'], 1, 'ORDER_UNKNOWN'],
    [['--order', 'x'], 2, 'a UUID'],
    [['--receipt', 'r'], 2, '--order'],
    [['--order', act, '--to', '2020-01-01', '--receipt', 'r'], 2, 'does not; nothing was written'],
  ] as const) {
    const ended = await folder.run('audit', 'erasures', ...args);
    expect([ended.code, ended.err]).toEqual([code, expect.stringContaining(text)]);
  }
});
