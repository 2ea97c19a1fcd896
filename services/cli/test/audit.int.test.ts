import { createHash } from 'node:crypto';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { CSV_COLUMNS } from '@residency/auditing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { alterLog, makeFolder, temporaryFolder } from './residency.ts';
import type { Folder, Row } from './residency.ts';

const POLICY = fileURLToPath(new URL('../../../policy/residency-1.json', import.meta.url));
const ALWAYS = ['--from', '2020-01-01', '--to', '2099-01-01'];

/**
 * Routed: stored in both regions, refused under a consent never given, quarantined for its country;
 * then withdrawn, and refused.
 */
async function routedFolder(folder: Folder): Promise<Folder> {
  for (const name of ['one', 'two']) await writeFile(join(folder.path, name), `sample ${name}`);
  await folder.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 's');
  for (const country of ['CH', 'BR', 'EU'])
    await folder.json(
      0,
      'publish',
      'one',
      'two',
      '--country',
      country,
      '--consent',
      'consent-0001',
      '--source',
      `urn:test:${country}`,
    );
  await folder.json(0, 'publish', 'one', '--country', 'CH', '--consent', 'never-given');
  await folder.json(0, 'consent', 'withdraw', '--consent', 'consent-0001');
  await folder.json(
    0,
    'publish',
    'two',
    '--country',
    'CH',
    '--consent',
    'consent-0001',
    '--source',
    'urn:test:later',
  );
  await folder.run('route', '--once');
  return folder;
}

let folder: Folder;
beforeAll(async () => {
  folder = await routedFolder(await makeFolder());
});
afterAll(() => folder.remove());

/** As docs/formats/audit-event.md says it, over the lines of an export. */
function digestOf(lines: readonly string[]): string {
  const hash = createHash('sha256');
  for (const line of lines) {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(Buffer.byteLength(line));
    hash.update(length).update(line);
  }
  return createHash('sha256')
    .update(`residency.audit/0 ${lines.length} ${hash.digest('hex')}\n`)
    .digest('hex');
}

async function filesOf(path: string): Promise<Record<string, string>> {
  const entries = (await readdir(path, { recursive: true, withFileTypes: true })).filter((entry) =>
    entry.isFile(),
  );
  return Object.fromEntries(
    await Promise.all(
      entries.map(
        async ({ parentPath, name }) =>
          [
            join(parentPath, name).slice(path.length),
            await readFile(join(parentPath, name), 'utf8'),
          ] as const,
      ),
    ),
  );
}

describe('audit replay', () => {
  it('counts the log together, and names it as anybody can who has its bytes', async () => {
    const exported = await folder.run('audit', 'list', '--json');
    const [report] = await folder.json(0, 'audit', 'replay');
    expect(report).toMatchObject({
      events: 8,
      faults: { total: 0 },
      digest: digestOf(exported.out.trim().split('\n')),
      byOutcome: [
        { outcome: 'stored', events: 4 },
        { outcome: 'refused', reason: 'CONSENT_UNKNOWN', events: 1 },
        { outcome: 'refused', reason: 'CONSENT_WITHDRAWN', events: 1 },
        { outcome: 'quarantined', reason: 'COUNTRY_UNKNOWN', events: 2 },
      ],
      byRegion: [
        { region: null },
        { region: 'moscow', stored: 2 },
        { region: 'zurich', stored: 2 },
      ],
    });
    const said = await folder.run('audit', 'replay');
    expect([said.code, said.out]).toEqual([
      0,
      expect.stringContaining(`digest  ${String(report?.['digest'])}`),
    ]);
  });

  it('writes the same files into every empty folder, and into no other', async () => {
    await folder.json(0, 'audit', 'replay', '--into', 'views-1');
    await folder.json(0, 'audit', 'replay', '--into', 'views-2');
    const views = await filesOf(join(folder.path, 'views-1'));
    expect(await filesOf(join(folder.path, 'views-2'))).toEqual(views);
    const consents = Object.entries(views)
      .filter(([name]) => name.startsWith('/by-consent/'))
      .flatMap(([, content]) => content.trim().split('\n'))
      .map((line): Row => JSON.parse(line));
    expect(
      Object.fromEntries(
        consents.map(({ consentId, stored, refused }) => [consentId, [stored, refused]]),
      ),
    ).toEqual({ 'consent-0001': [4, 1], 'never-given': [0, 1] });
    expect(Object.keys(views)).toEqual(
      expect.arrayContaining([
        '/by-region.ndjson',
        '/by-country.ndjson',
        '/by-policy.ndjson',
        '/by-outcome.ndjson',
        '/replay.json',
      ]),
    );
    expect((await folder.run('audit', 'replay', '--into', 'views-1')).code).toBe(2);
    expect((await folder.run('audit', 'replay', '--into', 'one')).code).toBe(2);
  });

  it('counts a period, and nothing in an empty one', async () => {
    const [none] = await folder.json(0, 'audit', 'replay', '--to', '2020-01-01');
    expect(none).toMatchObject({ events: 0, partitions: [] });
    expect(
      (await folder.run('audit', 'replay', '--from', '2021-01-01', '--to', '2020-01-01')).code,
    ).toBe(2);
    expect((await folder.json(0, 'audit', 'replay', ...ALWAYS))[0]).toMatchObject({ events: 8 });
  });
});

describe('audit adjudicate', () => {
  it('decides everything again without a difference', async () => {
    expect(await folder.json(0, 'audit', 'adjudicate')).toEqual([
      {
        events: 8,
        regionsDecided: 4,
        consentsDecided: 8,
        conflictsCompared: 0,
        erasures: { total: 0, compared: 0 },
        consentRecordsSkipped: 0,
        notRedecidable: { total: 0, byReason: {} },
        differences: 0,
        byCode: {},
      },
    ]);
  });

  it('says by country what a proposed policy would move, and moves nothing', async () => {
    const document = JSON.parse(await readFile(POLICY, 'utf8')) as {
      rules: { id: string; region: string; countries: string[] }[];
    };
    const rules = document.rules.map((rule) =>
      rule.id === 'moscow-default' ? { ...rule, region: 'zurich' } : rule,
    );
    await writeFile(
      join(folder.path, 'two.json'),
      JSON.stringify({ ...document, version: 2, effectiveFrom: '2099-01-01T00:00:00Z', rules }),
    );
    const before = await folder.run('audit', 'list', '--json');
    expect(await folder.json(0, 'audit', 'adjudicate', '--policy', 'two.json')).toEqual([
      { country: 'BR', from: 'moscow', to: 'zurich', samples: 2, bytes: 20 },
      {
        policy: { id: 'residency', version: 2, digest: expect.any(String) },
        at: '2099-01-01T00:00:00.000Z',
        stored: 4,
        moved: 2,
        movedBytes: 20,
      },
    ]);
    expect((await folder.run('audit', 'adjudicate', '--policy', 'two.json')).out).toContain(
      '2 of 4 stored samples would be placed elsewhere, 20 B. Nothing was moved.',
    );
    expect((await folder.run('audit', 'list', '--json')).out).toBe(before.out);
    await writeFile(
      join(folder.path, 'gap.json'),
      JSON.stringify({ ...document, rules: rules.slice(1) }),
    );
    expect((await folder.run('audit', 'adjudicate', '--policy', 'gap.json')).err).toContain(
      '(UNSOUND)',
    );
  });

  it('finds an event that was altered to another region, by position, and one that is none', async () => {
    const forged = await routedFolder(await temporaryFolder());
    const topic = "topic = (SELECT id FROM topic WHERE name = 'residency.audit')";
    alterLog(
      join(forged.path, '.residency', 'log.db'),
      `UPDATE record SET value = CAST(replace(CAST(value AS TEXT), '"region":"zurich"', '"region":"moscow"') AS BLOB) WHERE ${topic} AND "offset" = 1`,
    );
    const [found] = await forged.json(1, 'audit', 'adjudicate');
    expect(found).toMatchObject({
      code: 'DECISION_DIFFERS',
      position: expect.stringMatching(/\/threat\.samples\/0\/1$/),
      found: expect.stringContaining('moscow by rule zurich-'),
      expected: expect.stringContaining('zurich by rule zurich-'),
    });
    alterLog(
      join(forged.path, '.residency', 'log.db'),
      `UPDATE record SET value = x'7b7d' WHERE ${topic} AND "offset" = 3`,
    );
    const said = await forged.run('audit', 'adjudicate');
    expect([said.code, said.out]).toEqual([
      1,
      expect.stringMatching(/EVENT_INVALID +residency\.audit\/0\/3/),
    ]);
    const replayed = await forged.json(1, 'audit', 'replay');
    expect(replayed[0]).toMatchObject({
      faults: {
        list: [{ code: 'UNDECODABLE', position: 'residency.audit/0/3' }, { code: 'HOLE' }],
      },
    });
  });
});

describe('audit export', () => {
  it('gives the bytes of a period, and is recorded with the digest that a replay of it has', async () => {
    const exported = await folder.run('audit', 'export', ...ALWAYS);
    expect([exported.code, exported.out]).toEqual([
      0,
      (await folder.run('audit', 'list', '--json')).out,
    ]);
    const [report] = await folder.json(0, 'audit', 'replay', ...ALWAYS);
    expect(digestOf(exported.out.trim().split('\n'))).toBe(report?.['digest']);
    const [begun, ended] = (await folder.json(0, 'audit', 'list', '--control')).slice(-2);
    const asked = {
      from: '2020-01-01T00:00:00.000Z',
      to: '2099-01-01T00:00:00.000Z',
      format: 'ndjson',
    };
    expect(begun).toMatchObject({
      type: 'residency.audit.export-begun.v1',
      data: { ...asked, export: expect.any(String) },
    });
    const { data } = begun as unknown as { readonly data: { readonly export: string } };
    expect(ended).toMatchObject({
      type: 'residency.audit.exported.v1',
      data: {
        ...asked,
        export: data.export,
        events: 8,
        digest: report?.['digest'],
        complete: true,
      },
    });
    expect((await folder.run('audit', 'list', '--control')).out).toContain('complete=true');
    expect((await folder.run('audit', 'list', '--control', '--region', 'zurich')).code).toBe(2);
  });

  it('gives a table for people', async () => {
    const { out } = await folder.run('audit', 'export', ...ALWAYS, '--format', 'csv');
    const [head, ...rows] = out.trim().split('\n');
    expect(head).toBe(CSV_COLUMNS.join(','));
    expect(rows.map((row) => row.split(',')[2])).toEqual([
      'stored',
      'stored',
      'stored',
      'stored',
      'quarantined',
      'quarantined',
      'refused',
      'refused',
    ]);
    expect(
      await folder.run('audit', 'export', '--from', '2099-01-01', '--to', '2020-01-01'),
    ).toMatchObject({ code: 2 });
    expect(await folder.run('audit', 'export', '--to', '2020-01-01')).toMatchObject({ code: 2 });
  });

  it('is recorded as not complete where its reader goes away', async () => {
    const many = await temporaryFolder();
    await writeFile(join(many.path, 'f'), 'sample');
    for (let at = 0; at < 3; at += 1)
      await many.json(
        0,
        'publish',
        'f',
        '--country',
        'CH',
        '--consent',
        'never-given',
        '--source',
        `urn:test:${at}`,
      );
    await many.run('route', '--once');
    // More than a pipe holds.
    alterLog(
      join(many.path, '.residency', 'log.db'),
      `WITH RECURSIVE n(i) AS (SELECT 3 UNION ALL SELECT i + 1 FROM n WHERE i < 3000) INSERT INTO record SELECT r.topic, i, r.at, r.submission, r.headers, r.key, r.value FROM n, record r WHERE r.topic = (SELECT id FROM topic WHERE name = 'residency.audit') AND r."offset" = 2`,
    );
    const child = many.spawn(['audit', 'export', ...ALWAYS]);
    child.stdout?.once('data', () => {
      child.stdout?.destroy();
    });
    await new Promise((resolve) => {
      child.once('close', resolve);
    });
    const ended = (await many.json(0, 'audit', 'list', '--control')).at(-1);
    expect(ended).toMatchObject({ type: 'residency.audit.exported.v1', data: { complete: false } });
  });
});
