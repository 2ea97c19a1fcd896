import { cp, mkdir, readFile, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { custodyTopic } from '@residency/contracts';
import { openSqliteLog } from '@residency/adapter-sqlite';
import { expect, it } from 'vitest';
import { publishSamples, temporaryFolder } from './residency.ts';
import type { Folder } from './residency.ts';

const DATA = '.residency';
const ZURICH = custodyTopic('zurich');
const RESTORE = ['audit', 'restore', '--from-ledger'] as const;

const dataOf = (folder: Folder, ...names: readonly string[]): string =>
  join(folder.path, DATA, ...names);

/** The values of zurich's custody log. */
async function custodyOf(folder: Folder): Promise<readonly string[]> {
  const log = await openSqliteLog({ file: dataOf(folder, 'log.db'), now: Date.now });
  try {
    const values: string[] = [];
    for await (const { value } of log.read(ZURICH)) values.push(String(value));
    return values;
  } finally {
    await log.close();
  }
}

/** Takes every object of `zrh-2` away, and makes them anew: one event for each, and the order's. */
async function repaired(folder: Folder): Promise<void> {
  await rm(dataOf(folder, 'sites', 'zrh-2', 'samples'), { recursive: true });
  await mkdir(dataOf(folder, 'sites', 'zrh-2', 'samples'));
  await folder.json(0, 'site', 'repair', 'zrh-2');
  await folder.json(0, 'route', '--once');
}

async function withCustody(samples: readonly string[]): Promise<Folder> {
  const folder = await temporaryFolder();
  await folder.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 's');
  await publishSamples(folder, ...samples);
  await folder.json(0, 'route', '--once');
  await repaired(folder);
  return folder;
}

/** The log's files as they were when `backup` was made; ledgers and sites stay. */
async function putLogBack(folder: Folder, backup: string): Promise<void> {
  for (const name of await readdir(dataOf(folder)))
    if (name.startsWith('log.db')) await rm(dataOf(folder, name));
  for (const name of await readdir(join(folder.path, backup)))
    if (name.startsWith('log.db')) await cp(join(folder.path, backup, name), dataOf(folder, name));
}

const ledgerOf = async (folder: Folder, code = 0) =>
  (await folder.json(code, 'audit', 'fsck')).find(({ ledger }) => ledger === ZURICH);

it('every custody event is in a ledger, which fsck, doctor, reconcile and key show know', async () => {
  const folder = await withCustody(['one', 'two', 'three']);
  expect(await ledgerOf(folder)).toMatchObject({ size: 4, findings: 0 });
  expect((await folder.run('audit', 'fsck')).err).toContain(
    'residency.custody.moscow: its log has no event',
  );
  const keys = await folder.json(0, 'audit', 'key', 'show');
  expect(keys.map(({ origin }) => String(origin).split('/').slice(2).join('/'))).toEqual([
    '0',
    'residency.custody.moscow/0',
    'residency.custody.zurich/0',
    'residency.policy/0',
    'residency.control/0',
    'threat.consents/0',
  ]);
  const key = String(keys.find(({ topic }) => topic === ZURICH)?.['key']);
  // As an outsider, from a copy of the files alone.
  expect(
    await folder.json(0, 'audit', 'fsck', dataOf(folder, 'ledger', ZURICH, '0'), '--key', key),
  ).toMatchObject([{ size: 4, findings: 0 }]);
  const checks = await folder.json(0, 'doctor');
  for (const check of [`ledger ${ZURICH}`, `kept checkpoint ${ZURICH}`])
    expect(checks).toContainEqual(expect.objectContaining({ check, state: 'ok' }));
  const reconciled = (await folder.json(0, 'reconcile')).at(-1);
  expect(reconciled).toMatchObject({ differences: 0, ledgersAbsent: [] });
  expect(reconciled?.['ledgers']).toContainEqual(
    expect.objectContaining({ topic: ZURICH, size: 4, compared: 4, notYet: 0 }),
  );
});

it('an outsider gets a receipt for a custody event, and replay counts custody logs', async () => {
  const folder = await withCustody(['one', 'two', 'three']);
  const event = JSON.parse((await custodyOf(folder))[1] ?? '') as {
    readonly data: { readonly submission: string };
  };
  const { submission } = event.data;
  expect(
    await folder.json(0, 'audit', 'prove', submission, '--custody', 'zurich', '--out', 'copy'),
  ).toMatchObject([{ region: 'zurich', sequence: 1, index: 1, size: 4 }]);
  const keys = await folder.json(0, 'audit', 'key', 'show');
  const key = (of: string): string => String(keys.find(({ topic }) => topic === of)?.['key']);
  expect(await folder.json(0, 'audit', 'verify', 'copy', '--key', key(ZURICH))).toMatchObject([
    { verified: true, custody: 'residency.sample.copied.v1', number: 1, submission, site: 'zrh-2' },
  ]);
  expect(
    await folder.json(1, 'audit', 'verify', 'copy', '--key', key('residency.audit')),
  ).toMatchObject([{ verified: false }]);
  for (const [region, code] of [
    ['moscow', 'NOT_THERE'],
    ['../zurich', 'USAGE'],
  ] as const)
    expect(
      (await folder.run('audit', 'prove', submission, '--custody', region, '--out', 'none')).err,
    ).toContain(code === 'USAGE' ? 'Expected --custody with a region' : code);

  const [replayed] = await folder.json(0, 'audit', 'replay');
  expect(replayed?.['custody']).toEqual([
    expect.objectContaining({ region: 'moscow', events: 0, orders: 0 }),
    expect.objectContaining({
      region: 'zurich',
      events: 4,
      copies: { 'zrh-2': 3 },
      orders: 1,
      faults: { total: 0, list: [] },
    }),
  ]);
  expect(replayed?.['byHolding']).toEqual([
    {
      region: 'zurich',
      site: 'zrh-1',
      copies: 3,
      sealedBytes: expect.any(Number),
      erased: 0,
      lost: 0,
    },
    {
      region: 'zurich',
      site: 'zrh-2',
      copies: 3,
      sealedBytes: expect.any(Number),
      erased: 0,
      lost: 0,
    },
  ]);
  const text = (await folder.run('audit', 'replay')).out;
  expect(text).toContain('custody zurich  4 events');
  expect(text).toMatch(/zurich +zrh-2 +3 /);
  await folder.json(0, 'audit', 'replay', '--into', 'views');
  const view = await readFile(join(folder.path, 'views', 'by-holding.ndjson'), 'utf8');
  expect(
    view
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as unknown),
  ).toEqual(replayed?.['byHolding']);
  const [period] = await folder.json(0, 'audit', 'replay', '--from', '2020-01-01');
  expect(period).not.toHaveProperty('byHolding');
});

it('custody events of a period are given out byte for byte, and that it was done is recorded', async () => {
  const folder = await withCustody(['one', 'two']);
  const ever = ['--from', '2020-01-01', '--to', '2100-01-01', '--custody'];
  const { code, out } = await folder.run('audit', 'export', ...ever, 'zurich');
  expect([code, out.trimEnd().split('\n')]).toEqual([0, await custodyOf(folder)]);
  const [replayed] = await folder.json(0, 'audit', 'replay');
  const { sha256 } = (replayed?.['custody'] as { sha256: string }[] | undefined)?.[1] ?? {};
  expect((await folder.json(0, 'audit', 'list', '--control')).at(-1)).toMatchObject({
    type: 'residency.audit.exported.v1',
    data: { custody: 'zurich', events: 3, digest: sha256, complete: true },
  });
  const before = await folder.run(
    'audit',
    'export',
    '--from',
    '2020-01-01',
    '--to',
    '2020-01-02',
    '--custody',
    'zurich',
  );
  expect([before.code, before.out]).toEqual([0, '']);
  expect((await folder.run('audit', 'export', ...ever, 'zurich', '--format', 'csv')).code).toBe(2);
  expect((await folder.run('audit', 'export', ...ever, '../x')).code).toBe(2);
});

it('a data directory of the last release, whose custody log has no ledger, gets one and goes on', async () => {
  const folder = await withCustody(['one', 'two']);
  const audit = (await folder.json(0, 'audit', 'key', 'show'))[0];
  // As it was before: neither the ledger nor its kept checkpoint.
  await rm(dataOf(folder, 'ledger', ZURICH), { recursive: true });
  const kept = (await readdir(folder.checkpoints, { recursive: true })).find((name) =>
    name.endsWith(ZURICH),
  );
  await rm(join(folder.checkpoints, kept ?? 'none'), { recursive: true });
  await folder.json(0, 'route', '--once');
  expect(await ledgerOf(folder)).toMatchObject({ size: 3, findings: 0 });
  expect((await folder.json(0, 'audit', 'key', 'show'))[0]).toEqual(audit);
});

it('nothing is routed or copied over a custody log that was put back or altered', async () => {
  const folder = await withCustody(['one', 'two']);
  await cp(dataOf(folder), join(folder.path, 'backup'), { recursive: true });
  await repaired(folder);
  // All of it, log and ledgers: only the checkpoints kept apart tell.
  await rename(dataOf(folder), join(folder.path, 'newer'));
  await cp(join(folder.path, 'backup'), dataOf(folder), { recursive: true });
  expect((await folder.run('route', '--once')).err).toContain('LEDGER_ROLLED_BACK');
  expect((await folder.json(1, 'doctor')).map(({ code }) => code)).toContain('LEDGER_ROLLED_BACK');
});

it('a custody log that was put back gets its events from the ledger, and nothing is copied twice', async () => {
  const folder = await withCustody(['one', 'two', 'three']);
  await cp(dataOf(folder), join(folder.path, 'backup'), { recursive: true });
  await repaired(folder);
  const before = await custodyOf(folder);
  expect(before).toHaveLength(8);
  await putLogBack(folder, 'backup');
  expect((await folder.run('route', '--once')).err).toMatch(
    /LEDGER_AHEAD_OF_LOG|LEDGER_ROLLED_BACK/,
  );
  const rows = await folder.json(1, ...RESTORE, '--dry-run');
  expect(rows.find(({ topic }) => topic === ZURICH)).toMatchObject({ missing: 4, restored: 0 });
  expect(await custodyOf(folder)).toHaveLength(4);
  expect((await folder.json(0, ...RESTORE)).find(({ topic }) => topic === ZURICH)).toMatchObject({
    entries: 8,
    records: 4,
    restored: 4,
  });
  expect(await custodyOf(folder)).toEqual(before);
  const again = await folder.run(...RESTORE);
  expect(again.out).toContain(`${ZURICH}: the ledger has 8 entries`);
  // The order that was lost with the log, among the acts that are signed, is not restored.
  expect(again.err).toContain('residency.control/0');
  expect((await folder.run('route', '--once')).err).toContain('LEDGER_AHEAD_OF_LOG');
  await folder.json(0, 'audit', 'new-ledger', '--lost', 'events');
  await folder.json(0, 'route', '--once');
  expect(await custodyOf(folder)).toEqual(before);
  expect((await folder.json(0, 'reconcile')).at(-1)).toMatchObject({ differences: 0 });
  // The first leaf is the checkpoint before.
  expect(await ledgerOf(folder)).toMatchObject({ size: 9, findings: 0 });
});

it('nothing is appended to a custody log that went on in another way', async () => {
  const folder = await withCustody(['one', 'two']);
  await cp(dataOf(folder), join(folder.path, 'backup'), { recursive: true });
  await repaired(folder);
  await putLogBack(folder, 'backup');
  const log = await openSqliteLog({ file: dataOf(folder, 'log.db'), now: Date.now });
  const custody = await log.custodyLog('zurich');
  await custody.restore([Buffer.from('something else')]);
  await log.close();
  const before = await custodyOf(folder);
  expect((await folder.run(...RESTORE)).err).toContain('LOG_DIFFERS');
  expect(await custodyOf(folder)).toEqual(before);
});
