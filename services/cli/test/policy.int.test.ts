import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openSqliteLog } from '@residency/adapter-sqlite';
import {
  TOPICS,
  controlEntry,
  policyEntry,
  readPolicy,
  ROUTING_RESUMED,
} from '@residency/contracts';
import { openDataDirectory } from '@residency/standalone';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { makeFolder } from './residency.ts';
import type { Folder } from './residency.ts';
import { SALT } from '@residency/testkit';

const POLICY = fileURLToPath(new URL('../../../policy/residency-1.json', import.meta.url));
const { document } = readPolicy(await readFile(POLICY));
const data = ['--data', 'data'];

let folder: Folder;
beforeAll(async () => {
  folder = await makeFolder();
});
afterAll(() => folder.remove());

async function write(name: string, over: object): Promise<Buffer> {
  const text = Buffer.from(JSON.stringify({ ...document, ...over }));
  await writeFile(join(folder.path, name), text);
  return text;
}

async function published(): Promise<bigint> {
  const open = await openDataDirectory(join(folder.path, 'data'));
  try {
    return await open.log.end(TOPICS.policy);
  } finally {
    await open.close();
  }
}

it('a version that everybody ignores is refused, also when it stands in the log already, and check says so before', async () => {
  const late = await write('late.json', { version: 2, effectiveFrom: '2020-01-01T00:00:00Z' });
  await write('taken.json', { notes: ['another document under number 1'] });
  const open = await openDataDirectory(join(folder.path, 'data'));
  await open.log.append([policyEntry(readPolicy(late).document, 'by-another-tool')]);
  await open.close();
  for (const [file, code] of [
    ['late.json', 'RETROACTIVE'],
    ['taken.json', 'VERSION_TAKEN'],
  ] as const) {
    const refused = await folder.run('policy', 'publish', file, ...data);
    expect([refused.code, refused.out, refused.err]).toEqual([
      1,
      '',
      expect.stringMatching(new RegExp(`Nothing was published\\. \\(${code}\\)`)),
    ]);
    const checked = await folder.run('policy', 'check', file, ...data);
    expect([checked.code, checked.out]).toEqual([
      1,
      expect.stringMatching(new RegExp(`is sound[^]*would refuse it in data\\.[^]*\\(${code}\\)`)),
    ]);
    const alone = await folder.run('policy', 'check', file);
    expect([alone.code, alone.out]).toEqual([0, expect.stringContaining('is not known')]);
  }
  expect(await published()).toBe(2n);
});

it("a version whose instant the log's clock has passed is refused before it is appended", async () => {
  const ahead = await openSqliteLog({
    file: join(folder.path, 'data/log.db'),
    now: () => Date.now() + 45_000,
  });
  await ahead.append([controlEntry({ type: ROUTING_RESUMED, data: {} }, 'ahead', SALT)]);
  await ahead.close();
  await write('soon.json', {
    version: 2,
    effectiveFrom: new Date(Date.now() + 30_000).toISOString(),
  });
  const refused = await folder.run('policy', 'publish', 'soon.json', ...data);
  expect([refused.code, refused.err]).toEqual([1, expect.stringContaining('(RETROACTIVE)')]);
  expect(await published()).toBe(2n);
  const [begun, failed] = (await folder.json(0, 'audit', 'list', '--control', ...data)).slice(
    -2,
  ) as unknown as readonly { readonly data: { readonly act: string } }[];
  expect(failed).toMatchObject({
    type: 'residency.act.failed.v1',
    data: { act: begun?.data.act, code: 'POLICY_REFUSED' },
  });
});

it('publication and check say when a version is in force, and that a lower number takes over again', async () => {
  await write('june.json', { version: 2, effectiveFrom: '2999-06-01' });
  await write('january.json', { version: 3, effectiveFrom: '2999-01-01' });
  await write('instead.json', { version: 4, effectiveFrom: '2999-06-01' });
  expect((await folder.run('policy', 'publish', 'june.json', ...data)).out).toBe(
    'residency/2 is published.\nresidency/2 is in force from 2999-06-01T00:00:00.000Z.\n',
  );
  const overtaken =
    /in force from 2999-01-01T00:00:00\.000Z until 2999-06-01T00:00:00\.000Z\.\nFrom 2999-06-01T00:00:00\.000Z on residency\/2 is, although its number is lower/;
  expect((await folder.run('policy', 'check', 'january.json', ...data)).out).toMatch(overtaken);
  expect((await folder.run('policy', 'publish', 'january.json', ...data)).out).toMatch(overtaken);
  expect(await folder.json(0, 'policy', 'publish', 'instead.json', ...data)).toMatchObject([
    { published: true, from: '2999-06-01T00:00:00.000Z', until: null, replaces: [2] },
  ]);
  expect((await folder.run('policy', 'check', 'instead.json', ...data)).out).toContain(
    'published in data already',
  );
});

it('diff names who moves, when, and how many stored samples stand elsewhere', async () => {
  await writeFile(join(folder.path, 'sample'), 'x'.repeat(2_048));
  await folder.json(
    0,
    'consent',
    'grant',
    '--consent',
    'consent-0001',
    '--subject',
    'someone',
    ...data,
  );
  await folder.json(
    0,
    'publish',
    'sample',
    '--country',
    'BR',
    '--consent',
    'consent-0001',
    ...data,
  );
  await folder.json(0, 'route', '--once', ...data);
  const rules = document.rules.map((rule) =>
    rule.id === 'moscow-default'
      ? { ...rule, countries: rule.countries.filter((code) => code !== 'BR') }
      : rule,
  );
  const brazil = document.rules
    .filter(({ id }) => id === 'moscow-default')
    .map((rule) => ({ ...rule, id: 'brazil', countries: ['BR'] }));
  await write('five.json', {
    version: 5,
    effectiveFrom: '2999-01-01',
    rules: [
      ...rules,
      ...brazil.map((rule) => ({ ...rule, until: '2999-03-01' })),
      ...brazil.map((rule) => ({
        ...rule,
        id: 'brazil-zurich',
        region: 'zurich',
        from: '2999-03-01',
      })),
    ],
  });
  expect(await folder.json(0, 'policy', 'diff', POLICY, 'five.json', ...data)).toEqual([
    {
      country: 'BR',
      before: 'moscow',
      after: 'zurich',
      from: '2999-03-01T00:00:00.000Z',
      until: null,
      stored: { samples: 1, bytes: 2_048 },
    },
  ]);
  const said = await folder.run('policy', 'diff', POLICY, 'five.json');
  expect([said.code, said.out, said.err]).toEqual([
    0,
    expect.stringMatching(/^BR +2999-03-01T00:00:00\.000Z +moscow +zurich +not asked$/m),
    expect.stringContaining('was not asked'),
  ]);
  expect((await folder.run('policy', 'diff', POLICY, POLICY)).out).toMatch(/^No country moves/);
  await write('fewer.json', {
    version: 2,
    regions: [
      { id: 'zurich', sites: ['zrh-1', 'zrh-2'] },
      { id: 'moscow', sites: ['mow-1'] },
    ],
  });
  expect((await folder.run('policy', 'diff', POLICY, 'fewer.json')).err).toContain(
    'Region zurich: sites zrh-1, zrh-2 (stored with 1) become zrh-1, zrh-2.',
  );
});

it('show and diff say how long a region keeps samples, and a time that is none is refused', async () => {
  const limited = (keepDays: number) =>
    write('limited.json', {
      version: 9,
      effectiveFrom: '2999-09-01',
      regions: document.regions.map((region) => ({ ...region, keepDays })),
    });
  await limited(365);
  const said = await folder.run('policy', 'diff', POLICY, 'limited.json');
  expect([said.code, said.err]).toEqual([
    0,
    expect.stringContaining('become mow-1 (kept for 365 days).'),
  ]);
  await folder.json(0, 'policy', 'publish', 'limited.json', ...data);
  expect((await folder.run('policy', 'show', ...data)).out).toContain(
    'zurich: zrh-1, zrh-2 (stored with 1, kept for 365 days)\n',
  );
  for (const keepDays of [0, -1, 36_501]) {
    await limited(keepDays);
    expect((await folder.run('policy', 'check', 'limited.json')).err).toContain('INVALID_POLICY');
  }
});
