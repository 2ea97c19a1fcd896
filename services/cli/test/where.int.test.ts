import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from './residency.ts';

const POLICY = fileURLToPath(new URL('../../../policy/residency-1.json', import.meta.url));
const document = JSON.parse(await readFile(POLICY, 'utf8')) as {
  effectiveFrom: string;
  version: number;
  rules: { id: string; region: string; countries: string[] }[];
};

it('where answers one line per argument in their order, as typed, and makes nothing', async () => {
  const folder = await temporaryFolder();
  const answers = await folder.json(
    0,
    'where',
    'ch',
    'JP',
    'BR',
    'EU',
    'x\ny',
    '',
    '--at',
    '2026-01-31',
  );
  expect(
    answers.map(({ country, known, region, rule, basis, confidence }) => [
      country,
      known,
      region,
      rule,
      basis,
      confidence,
    ]),
  ).toEqual([
    ['ch', true, 'zurich', 'zurich-europe', 'interpretation', 'announced'],
    ['JP', true, 'zurich', 'zurich-asia-pacific', 'named', 'completion-date'],
    ['BR', true, 'moscow', 'moscow-default', 'default', 'stated'],
    ['EU', false, undefined, undefined, undefined, undefined],
    ['x\ny', false, undefined, undefined, undefined, undefined],
    ['', false, undefined, undefined, undefined, undefined],
  ]);
  expect(Object.keys(answers[0] ?? {})).toEqual([
    'country',
    'known',
    'region',
    'rule',
    'basis',
    'confidence',
    'policy',
    'cites',
  ]);
  expect(answers[2]).toMatchObject({
    policy: { id: 'residency', version: 1, digest: expect.stringMatching(/^[0-9a-f]{64}$/) },
    cites: ['GTI §6'],
  });
  expect(answers[3]).toEqual({ country: 'EU', known: false });
  expect(await readdir(folder.path)).toEqual([]);

  await mkdir(join(folder.path, 'empty'));
  for (const asks of [
    ['where', 'ch'],
    ['policy', 'show'],
  ]) {
    const codes = [
      await folder.run(...asks, '--data', 'nowhere'),
      await folder.run(...asks, '--data', 'empty'),
    ].map(({ code }) => code);
    // Nobody can know what a directory somewhere else was to begin with.
    expect([asks, codes]).toEqual([asks, [2, 2]]);
  }
  expect([await readdir(folder.path), await readdir(join(folder.path, 'empty'))]).toEqual([
    ['empty'],
    [],
  ]);

  const said = await folder.run('where', 'US', 'zz', '--at', '2020-11-16T23:59:59.999Z');
  expect(said.code).toBe(1);
  // Upper-casing makes two letters of each of these, which would be an assigned code.
  for (const odd of ['ß', 'ﬁ', 'ﬀ', 'UK']) {
    const asked = await folder.run('where', odd);
    expect([asked.code, asked.out]).toEqual([
      1,
      `${odd}: unknown, not an assigned ISO 3166-1 alpha-2 code or XK; a sample would be quarantined.\n`,
    ]);
  }
  expect(said.out.split('\n')).toEqual([
    expect.stringMatching(
      /^US: moscow, since 2018-11-13, by rule moscow-before-completion of residency\/1 \(basis default, confidence completion-date\) for 2020-11-16T23:59:59\.999Z; sources: GTI §6;/,
    ),
    'zz: unknown, not an assigned ISO 3166-1 alpha-2 code or XK; a sample would be quarantined.',
    '',
  ]);
});

it('policies are checked, published, shown, and asked as newest or as known then', async () => {
  const folder = await temporaryFolder();
  const write = async (name: string, over: object): Promise<void> => {
    await writeFile(join(folder.path, name), JSON.stringify({ ...document, ...over }));
  };
  const nextYear = new Date(Date.now() + 365 * 24 * 3_600_000).toISOString();
  await write('two.json', {
    version: 2,
    effectiveFrom: nextYear,
    rules: document.rules.map((rule) =>
      rule.id === 'moscow-default' ? { ...rule, region: 'zurich' } : rule,
    ),
  });
  await write('late.json', { version: 3, effectiveFrom: '2020-01-01T00:00:00Z' });
  await write('gaps.json', {
    version: 3,
    effectiveFrom: nextYear,
    rules: document.rules.map((rule) => ({
      ...rule,
      countries: rule.countries
        .filter((code) => code !== 'BR')
        .concat(rule.id === 'moscow-default' ? ['ZZ'] : []),
    })),
  });
  await writeFile(join(folder.path, 'none.json'), '{}');

  expect((await folder.run('policy', 'check', POLICY)).code).toBe(0);
  const problems = await folder.json(1, 'policy', 'check', 'gaps.json');
  expect(problems.map(({ code }) => code)).toEqual(
    expect.arrayContaining(['GAP', 'UNKNOWN_COUNTRY']),
  );
  expect(JSON.stringify(problems)).toMatch(/\bBR\b.*|\bZZ\b/);
  for (const file of ['none.json', 'missing.json'])
    expect((await folder.run('policy', 'check', file)).code).toBe(2);

  // Not even two upper-case letters: named all the same, and published by nobody.
  await write('odd.json', {
    version: 3,
    effectiveFrom: nextYear,
    rules: document.rules.map((rule) =>
      rule.id === 'moscow-default' ? { ...rule, countries: [...rule.countries, 'zz', 'Z1'] } : rule,
    ),
  });
  expect(await folder.json(1, 'policy', 'check', 'odd.json')).toEqual([
    { code: 'UNKNOWN_COUNTRY', message: expect.stringMatching(/found zz, Z1\.$/) },
  ]);
  expect(await folder.json(1, 'policy', 'publish', 'odd.json')).toMatchObject([
    { code: 'UNKNOWN_COUNTRY' },
  ]);

  expect((await folder.run('policy', 'publish', 'gaps.json')).code).toBe(1);
  const late = await folder.run('policy', 'publish', 'late.json');
  expect([late.code, late.err]).toEqual([1, expect.stringContaining('(RETROACTIVE)')]);
  expect(await folder.json(0, 'policy', 'publish', 'two.json')).toMatchObject([
    { id: 'residency', version: 2, published: true },
  ]);
  expect(await folder.json(0, 'policy', 'publish', 'two.json')).toMatchObject([
    { published: false },
  ]);

  const region = async (...args: readonly string[]): Promise<unknown[]> =>
    (await folder.json(0, 'where', 'BR', ...args)).flatMap((row) => [
      row['region'],
      row.policy.version,
    ]);
  expect(await region()).toEqual(['zurich', 2]);
  expect(await region('--as-known')).toEqual(['moscow', 1]);
  expect(await region('--as-known', '--at', nextYear)).toEqual(['zurich', 2]);
  expect(await region('--policy', POLICY)).toEqual(['moscow', 1]);
  expect((await folder.run('where', 'BR', '--policy', POLICY, '--as-known')).code).toBe(2);
  expect(await folder.json(0, 'policy', 'show')).toMatchObject([
    { document: { version: 2 }, digest: expect.any(String) },
  ]);
  expect((await folder.run('policy', 'show', '--version', '1')).out).toMatch(/^residency\/1\n/);
  expect((await folder.run('policy', 'show', '--version', '7')).code).toBe(2);
});
