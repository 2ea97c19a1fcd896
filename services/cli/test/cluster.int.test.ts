import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { createTopics, topicPlan } from '@residency/adapter-kafka';
import { RedisConsentProjection } from '@residency/adapter-redis';
import { TOPICS, objectKey } from '@residency/contracts';
import { expect, it, onTestFinished } from 'vitest';
import { routeAll } from './cluster-router.ts';
import { learnClusterId, preparedCluster, silent, testCluster } from './cluster.ts';

const POLICY = fileURLToPath(new URL('../../../policy/residency-1.json', import.meta.url));

it('topics are made once, on the right cluster only, and what one has otherwise is named', async () => {
  const cluster = await testCluster();
  const refused = await learnClusterId(cluster);
  expect([refused.code, refused.err]).toEqual([2, expect.stringContaining('(LOG_MISMATCH)')]);
  const missing = await cluster.json(1, 'topics', 'check');
  expect(missing).toContainEqual({
    topic: `${cluster.kafka.topicPrefix}threat.samples`,
    setting: 'topic',
    found: 'missing',
    expected: 'present',
  });

  const [, audit] = topicPlan({ partitions: 2, replicationFactor: 1 });
  if (audit === undefined) throw new Error('Expected a plan of the audit topic.');
  await createTopics(cluster.kafka, silent, [{ ...audit, settings: [] }]);
  const created = await cluster.json(1, 'topics', 'create');
  expect(
    created
      .filter((row) => 'created' in row)
      .map(({ topic, partitions, created: made }) => [
        String(topic).replace(cluster.kafka.topicPrefix, ''),
        partitions,
        made,
      ]),
  ).toEqual([
    ['threat.samples', 3, true],
    ['residency.audit', 3, false],
    ['threat.samples.quarantine', 3, true],
    ['threat.consents', 1, true],
    ['threat.subjects', 1, true],
    ['residency.policy', 1, true],
    ['residency.control', 1, true],
    ['residency.custody.zurich', 1, true],
    ['residency.custody.moscow', 1, true],
  ]);
  const named = created.filter((row) => 'setting' in row);
  expect(named).toContainEqual({
    topic: `${cluster.kafka.topicPrefix}residency.audit`,
    setting: 'partitions',
    found: '2',
    expected: '3',
  });
  expect(await cluster.json(1, 'topics', 'check')).toEqual(named);
  expect((await cluster.run('audit', 'list')).out).toMatch(/^at +outcome/);
});

it('a site is initialised once, and a bucket of another is told from it', async () => {
  const cluster = await testCluster();
  const states = async (code: number, ...args: readonly string[]): Promise<unknown[]> =>
    (await cluster.json(code, 'site', ...args)).map(
      ({ site, state, code: failure }) => `${String(site)} ${String(state ?? failure)}`,
    );
  expect(await states(3, 'check', '--all')).toEqual([
    'zrh-1 SITE_MARKER_MISSING',
    'zrh-2 SITE_MARKER_MISSING',
    'mow-1 SITE_MARKER_MISSING',
  ]);
  expect(await states(0, 'init', 'zrh-2')).toEqual(['zrh-2 initialised']);
  expect(await states(0, 'init', '--all')).toEqual([
    'zrh-1 initialised',
    'zrh-2 initialised',
    'mow-1 initialised',
  ]);
  expect(await states(0, 'check', '--all')).toEqual([
    'zrh-1 verified',
    'zrh-2 verified',
    'mow-1 verified',
  ]);
  for (const wrong of [['check'], ['check', '--all', 'zrh-1'], ['check', 'zrh-9']])
    expect((await cluster.run('site', ...wrong)).code).toBe(2);
  const regions = join(cluster.folder.path, 'regions.json');
  const { sites } = JSON.parse(await readFile(regions, 'utf8')) as {
    sites: Record<string, { bucket: string; endpoint: string }>;
  };
  await writeFile(
    regions,
    JSON.stringify({
      sites: {
        ...sites,
        'zrh-1': { ...sites['zrh-2'], bucket: sites['zrh-2']?.bucket },
        'zrh-2': { ...sites['zrh-2'], bucket: 'none-such' },
      },
    }),
  );
  await cluster.configure({
    RESIDENCY_SITE_ZRH_1_ACCESS_KEY_ID: cluster.sites[1]?.credentials?.accessKeyId,
    RESIDENCY_SITE_ZRH_1_SECRET_ACCESS_KEY: cluster.sites[1]?.credentials?.secretAccessKey,
  });
  expect(await states(1, 'check', '--all')).toEqual([
    'zrh-1 SITE_MARKER_MISMATCH',
    'zrh-2 SITE_MISSING',
    'mow-1 verified',
  ]);
});

it('what a version needs is demanded before it is published, and nothing is made', async () => {
  const cluster = await testCluster();
  await learnClusterId(cluster);
  await cluster.json(0, 'topics', 'create');
  const none = await cluster.run('where', 'CH');
  expect([none.code, none.err]).toEqual([2, expect.stringContaining('policy publish')]);
  const without = await cluster.run('policy', 'publish', POLICY);
  expect([without.code, without.err]).toEqual([
    2,
    expect.stringMatching(
      /key to seal for region zurich[^]*key to seal for region moscow[^]*CONFIGURATION_INCOMPLETE/,
    ),
  ]);
  expect((await cluster.run('keys', 'add', '--region', 'atlantis')).code).toBe(2);
  for (const region of ['zurich', 'moscow'])
    await cluster.json(0, 'keys', 'add', '--region', region);
  expect(
    (await cluster.json(0, 'keys', 'list')).map(({ region, state }) => [region, state]),
  ).toEqual([
    ['moscow', 'seals'],
    ['zurich', 'seals'],
  ]);
  const unmarked = await cluster.run('policy', 'publish', POLICY);
  expect([unmarked.code, unmarked.err]).toEqual([
    3,
    expect.stringContaining('SITE_MARKER_MISSING'),
  ]);
  await cluster.json(0, 'site', 'init', '--all');
  expect((await cluster.run('where', 'CH')).code).toBe(2);
  expect(await cluster.json(0, 'policy', 'publish', POLICY)).toMatchObject([
    { id: 'residency', version: 1, published: true },
  ]);
  expect(await cluster.json(0, 'policy', 'publish', POLICY)).toMatchObject([{ published: false }]);
  expect(await cluster.json(0, 'where', 'CH')).toMatchObject([
    { region: 'zurich', policy: { version: 1 } },
  ]);
  expect(await cluster.json(0, 'policy', 'show')).toMatchObject([{ document: { version: 1 } }]);
});

it('what is published is found, listed, opened, redriven and reconciled as on one machine', async () => {
  const cluster = await preparedCluster();
  const { folder } = cluster;
  await writeFile(join(folder.path, 'f'), 'the sample');
  await writeFile(join(folder.path, 'g'), 'of nowhere');
  const granted = await cluster.json(
    0,
    'consent',
    'grant',
    '--consent',
    'consent-0001',
    '--subject',
    'canary-subject',
  );
  expect(granted).toEqual([
    {
      consentId: 'consent-0001',
      event: 'granted',
      position: `${cluster.kafka.log}/threat.consents/0/0`,
    },
  ]);
  const [stored] = await cluster.json(
    0,
    'publish',
    'f',
    '--country',
    'CH',
    '--consent',
    'consent-0001',
  );
  const [nowhere] = await cluster.json(
    0,
    'publish',
    'g',
    '--country',
    'EU',
    '--consent',
    'consent-0001',
  );
  expect(stored?.position).toMatch(new RegExp(`^${cluster.kafka.log}/threat\\.samples/[0-2]/0$`));
  const submission = String(stored?.['submission']);
  expect(await cluster.json(0, 'status', submission)).toEqual([
    { submission, state: 'pending', outcomes: [] },
  ]);

  const log = await cluster.log();
  await routeAll(log, cluster.sites, join(folder.path, 'keys'));
  expect(await cluster.json(0, 'status', submission)).toMatchObject([
    { state: 'settled', outcomes: [{ outcome: 'stored', region: 'zurich' }] },
  ]);
  expect(await cluster.json(1, 'status', '0'.repeat(64), '--from', '2026-01-01')).toMatchObject([
    { state: 'unknown' },
  ]);
  const events = await cluster.json(0, 'audit', 'list');
  expect(events.map(({ type }) => type)).toEqual([
    'residency.sample.stored.v1',
    'residency.sample.quarantined.v1',
  ]);
  expect(JSON.stringify(events)).not.toContain('canary-subject');
  const listed = async (...filters: readonly string[]): Promise<number> =>
    (await cluster.json(0, 'audit', 'list', ...filters)).length;
  const [first, second] = events.map(({ time }) => time);
  expect([
    await listed('--outcome', 'stored'),
    await listed('--region', 'zurich'),
    await listed('--submission', submission),
    await listed('--from', second ?? ''),
    await listed('--to', second ?? ''),
    await listed('--from', first ?? ''),
    await listed('--from', '2099-01-01'),
  ]).toEqual([1, 1, 1, 1, 1, 2, 0]);
  expect(await cluster.json(0, 'sample', 'list', '--region', 'zurich')).toEqual([
    {
      submission,
      key: objectKey(submission),
      country: 'CH',
      bytes: 10,
      at: first,
      sites: ['zrh-1', 'zrh-2'],
      owed: [],
    },
  ]);
  await cluster.json(0, 'sample', 'open', submission, '--region', 'zurich', '--out', 'out');
  expect(await readFile(join(folder.path, 'out'), 'utf8')).toBe('the sample');

  // What holds keys and secrets stays where it is.
  const all = await cluster.run(
    'publish',
    '.',
    '--country',
    'EU',
    '--consent',
    'consent-0002',
    '--source',
    'urn:test:all',
    '--json',
  );
  expect(
    all.out
      .trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { path: string }).path),
  ).toEqual(['./f', './g', './out']);
  for (const skipped of ['./keys', './cluster.env', './regions.json'])
    expect(all.err).toContain(`Skipped ${skipped}`);
  expect(
    (await cluster.run('publish', 'keys', '--country', 'CH', '--consent', 'consent-0001')).code,
  ).toBe(2);

  const position = nowhere?.position ?? '';
  expect(await cluster.json(0, 'quarantine', 'list')).toMatchObject([
    { position, reason: 'COUNTRY_UNKNOWN' },
  ]);
  expect(await cluster.json(0, 'quarantine', 'show', position)).toMatchObject([
    { record: 'kept', attributes: { usercountry: 'EU' } },
  ]);
  const [redriven] = await cluster.json(0, 'quarantine', 'redrive', '--reason', 'COUNTRY_UNKNOWN');
  expect(redriven).toMatchObject({ redriveOf: position });
  expect(await cluster.json(0, 'quarantine', 'redrive', '--reason', 'COUNTRY_UNKNOWN')).toEqual([]);
  await routeAll(log, cluster.sites, join(folder.path, 'keys'));
  expect(
    (await cluster.json(0, 'audit', 'list')).map(
      ({ data }) => (data as { redriveOf?: string }).redriveOf,
    ),
  ).toContain(position);

  expect((await cluster.json(0, 'reconcile', '--open')).at(-1)).toMatchObject({
    objects: 2,
    events: { stored: 1, quarantined: 5 },
    opened: 2,
    differences: 0,
  });
  // Somebody's record in the audit log, which no router wrote.
  await log.append([
    { topic: TOPICS.audit, record: { key: null, headers: [], value: Buffer.from('{}') } },
  ]);
  expect((await cluster.json(1, 'reconcile')).at(-1)).toMatchObject({
    byCode: { AUDIT_EVENT_INVALID: 1 },
  });
});

it("a consent is shown as the routers' view has it", async () => {
  const cluster = await testCluster();
  await cluster.configure();
  const none = await cluster.run('consent', 'show', '--consent', 'consent-0001');
  expect([none.code, none.err]).toEqual([3, expect.stringContaining('CONSENT_VIEW_EMPTY')]);
  const projection = new RedisConsentProjection({ ...cluster.redis, log: cluster.kafka.log });
  onTestFinished(() => projection.close());
  await projection.apply({
    expected: undefined,
    to: { next: 1n, watermark: 5, halted: false },
    histories: new Map([
      ['consent-0001', [{ from: 0, purposes: ['threat-sample-sharing'], termsVersion: '7' }]],
    ]),
  });
  expect(await cluster.json(0, 'consent', 'show', '--consent', 'consent-0001')).toEqual([
    {
      consentId: 'consent-0001',
      intervals: [
        {
          from: '1970-01-01T00:00:00.000Z',
          purposes: ['threat-sample-sharing'],
          termsVersion: '7',
        },
      ],
    },
  ]);
  expect((await cluster.run('consent', 'show', '--consent', 'consent-0002')).out).toContain(
    'never given',
  );
});
