import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TOPICS, recordInForm } from '@residency/contracts';
import { describe, expect, it } from 'vitest';
import { alterLog, publishSamples, temporaryFolder } from './residency.ts';
import type { Folder, Row } from './residency.ts';

const DATA = '.residency';
const LOGS = [TOPICS.policy, TOPICS.control, TOPICS.consents];

/** Three consents, a pause and its end, and the first policy, all of them signed. */
async function signed(): Promise<Folder> {
  const folder = await temporaryFolder();
  for (const consent of ['consent-0001', 'consent-0002', 'consent-0003'])
    await folder.json(0, 'consent', 'grant', '--consent', consent, '--subject', 's');
  await publishSamples(folder, 'one');
  await folder.json(0, 'pause', '--reason', 'a drill');
  await folder.json(0, 'resume');
  await folder.json(0, 'route', '--once');
  return folder;
}

/** Changes the log's database, as somebody with its file can. */
function change(folder: Folder, sql: string): void {
  alterLog(join(folder.path, DATA, 'log.db'), sql);
}

interface Found {
  readonly code: string;
  readonly position: string;
}

const of = (topic: string, offset: number): string =>
  `topic = (SELECT id FROM topic WHERE name = '${topic}') AND "offset" = ${offset}`;
const ledgerOf = (rows: readonly Row[], topic: string): Row | undefined =>
  rows.find(({ ledger }) => ledger === topic);
/** What fsck finds in the logs themselves. */
const faultsOf = (rows: readonly Row[]): readonly string[] =>
  rows
    .flatMap(({ log, fault }) => (log === undefined ? [] : [fault as Found]))
    .map(({ code, position }) => `${code} ${position}`)
    .sort();
const replayed = (row: Row | undefined): readonly string[] => {
  const logs = row?.['logs'] as { differences: { list: readonly Found[] } };
  return logs.differences.list.map(({ code, position }) => `${code} ${position}`).sort();
};
const keyOf = async (folder: Folder, topic: string): Promise<string> =>
  String(
    (await folder.json(0, 'audit', 'key', 'show')).find((row) => row['topic'] === topic)?.['key'],
  );

it('policies, consents and control events are in ledgers, which fsck, replay, reconcile, doctor and key show know', async () => {
  const folder = await signed();
  const rows = await folder.json(0, 'audit', 'fsck');
  const sizes = LOGS.map((topic) => ledgerOf(rows, topic)?.['size']);
  expect(sizes).toEqual([1, 2, 3]);
  const compared = LOGS.map((topic, at) =>
    expect.objectContaining({ topic, size: sizes[at], compared: sizes[at], notYet: 0 }),
  );
  expect((await folder.json(0, 'audit', 'replay'))[0]).toMatchObject({
    logs: { ledgers: compared, absent: [], differences: { total: 0 } },
  });
  expect((await folder.run('audit', 'replay')).out).toContain(
    'threat.consents  3 records; compared with its ledger: 3; not in it yet: 0',
  );
  const reconciled = (await folder.json(0, 'reconcile')).at(-1);
  expect(reconciled?.['ledgers']).toEqual(expect.arrayContaining(compared));
  const checks = await folder.json(0, 'doctor');
  for (const topic of LOGS)
    for (const check of [`ledger ${topic}`, `kept checkpoint ${topic}`])
      expect(checks).toContainEqual(expect.objectContaining({ check, state: 'ok' }));
  // As an outsider, from a copy of the files alone.
  for (const topic of LOGS)
    await folder.json(
      0,
      'audit',
      'fsck',
      join(folder.path, DATA, 'ledger', topic, '0'),
      '--key',
      await keyOf(folder, topic),
    );
  // What a command appends is signed by the next routing.
  await folder.json(0, 'consent', 'withdraw', '--consent', 'consent-0003');
  expect(await folder.json(0, 'doctor')).toContainEqual(
    expect.objectContaining({ check: `ledger ${TOPICS.consents}`, state: 'ok' }),
  );
  await folder.json(0, 'route', '--once');
  expect(ledgerOf(await folder.json(0, 'audit', 'fsck'), TOPICS.consents)?.['size']).toBe(4);
});

it('an outsider gets a receipt for a record, and of a consent learns nothing but what he is shown', async () => {
  const folder = await signed();
  const [first] = await folder.json(0, 'audit', 'list');
  const name = String(first?.['source']).split('/')[2] ?? '';
  const policy = `${name}/${TOPICS.policy}/0/0`;
  await folder.json(0, 'audit', 'prove', policy, '--out', 'p');
  expect(
    await folder.json(0, 'audit', 'verify', 'p', '--key', await keyOf(folder, TOPICS.policy)),
  ).toMatchObject([
    { verified: true, event: 'policy.published.v1', offset: '0', index: 0, size: 1 },
  ]);
  const leaf = await readFile(join(folder.path, 'p.leaf'));
  expect(recordInForm(leaf)?.value?.toString()).toContain('policy.published.v1');

  const consent = `${name}/${TOPICS.consents}/0/1`;
  expect(await folder.json(0, 'audit', 'prove', consent, '--out', 'c')).toMatchObject([
    { index: 1, size: 3, record: 'c.record' },
  ]);
  expect((await readFile(join(folder.path, 'c.leaf'))).toString()).toMatch(
    /^\{"offset":"1","sha256":"[0-9a-f]{64}"\}$/,
  );
  const verify = ['audit', 'verify', 'c', '--key', await keyOf(folder, TOPICS.consents)];
  expect(await folder.json(0, ...verify)).toMatchObject([
    {
      verified: true,
      event: 'consent.granted.v1',
      offset: '1',
      key: expect.stringMatching(/^consent-0002\//),
    },
  ]);
  const record = await readFile(join(folder.path, 'c.record'), 'utf8');
  await writeFile(join(folder.path, 'other'), record.replace('"at":1', '"at":2'));
  expect(await folder.json(1, ...verify, '--record', 'other')).toMatchObject([
    { verified: false, code: 'RECORD_DIFFERS' },
  ]);
  expect(
    (await folder.run('audit', 'prove', `${name}/threat.samples/0/0`, '--out', 'x')).err,
  ).toContain('found another position');
  expect(
    (await folder.run('audit', 'prove', `${name}/${TOPICS.policy}/0/9`, '--out', 'x')).err,
  ).toContain('NOT_THERE');
});

describe('somebody with the log’s file', () => {
  it.each([
    ['alters the policy', TOPICS.policy, 0],
    ['alters a consent', TOPICS.consents, 1],
    ['alters a control event', TOPICS.control, 0],
  ])('%s: fsck and replay name it, and nothing is routed', async (_, topic, offset) => {
    const folder = await signed();
    change(
      folder,
      `UPDATE record SET value = CAST(replace(CAST(value AS TEXT), '"specversion":"1.0"', '"specversion":"1.0","subject":"x"') AS BLOB) WHERE ${of(topic, offset)}`,
    );
    const expected = [`LEDGER_LEAF_DIFFERS ${topic}/0/${offset}`, `LEDGER_ROLLED_BACK ${topic}/0`];
    expect(faultsOf(await folder.json(1, 'audit', 'fsck'))).toEqual(expected);
    expect(replayed((await folder.json(1, 'audit', 'replay'))[0])).toEqual(expected);
    expect((await folder.run('route', '--once')).err).toContain('LEDGER_AHEAD_OF_LOG');
  });

  it('moves the append time of a consent', async () => {
    const folder = await signed();
    change(folder, `UPDATE record SET at = at - 1 WHERE ${of(TOPICS.consents, 0)}`);
    expect(faultsOf(await folder.json(1, 'audit', 'fsck'))).toEqual([
      `LEDGER_LEAF_DIFFERS ${TOPICS.consents}/0/0`,
      `LEDGER_ROLLED_BACK ${TOPICS.consents}/0`,
    ]);
  });

  it('removes a consent: it is named, and the ledger goes on with the same tree', async () => {
    const folder = await signed();
    change(folder, `DELETE FROM record WHERE ${of(TOPICS.consents, 1)}`);
    const expected = [`LEDGER_RECORD_MISSING ${TOPICS.consents}/0/1`];
    expect(faultsOf(await folder.json(1, 'audit', 'fsck'))).toEqual(expected);
    await folder.json(0, 'consent', 'grant', '--consent', 'consent-0004', '--subject', 's');
    await folder.json(0, 'route', '--once');
    const rows = await folder.json(1, 'audit', 'fsck');
    expect(ledgerOf(rows, TOPICS.consents)).toMatchObject({ size: 4, findings: 0 });
    expect(faultsOf(rows)).toEqual(expected);
  });

  it('repeats a key', async () => {
    const folder = await signed();
    change(
      folder,
      `UPDATE record SET key = (SELECT key FROM record WHERE ${of(TOPICS.consents, 0)}) WHERE ${of(TOPICS.consents, 2)}`,
    );
    expect(faultsOf(await folder.json(1, 'audit', 'fsck'))).toEqual([
      `LEDGER_LEAF_DIFFERS ${TOPICS.consents}/0/2`,
      `LEDGER_ROLLED_BACK ${TOPICS.consents}/0`,
      `REPEATED_KEY ${TOPICS.consents}/0/2`,
    ]);
  });
});

it('a restore appends nothing to these logs and says so', async () => {
  const folder = await signed();
  const restored = await folder.json(0, 'audit', 'restore', '--from-ledger', '--dry-run');
  expect(restored.map(({ topic }) => topic)).not.toEqual(expect.arrayContaining([TOPICS.policy]));
});
