import { randomUUID } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  ERASURE_ORDERED,
  ROUTING_PAUSED,
  ROUTING_RESUMED,
  TOPICS,
  SITE_REPAIR_ORDERED,
  controlEntry,
  controlEventIn,
  decodeAuditEvent,
  policyEntry,
} from '@residency/contracts';
import { SALT, SHIPPED_POLICY, eventually } from '@residency/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../../../test/running-deployment/deployment.ts';
import type { ServiceProcess } from '../../../test/running-deployment/service-process.ts';
import { behindProxies } from '../../../test/faults/cluster/behind-proxies.ts';
import type { BehindProxies } from '../../../test/faults/cluster/behind-proxies.ts';
import { Publisher, someOfEach } from '../../../test/faults/cluster/publisher.ts';
import { waitingFor } from '../../../test/faults/cluster/waiting-for.ts';
import { TEST_SITES, sharedStack, signedRequest } from '../../../test/stack/index.ts';
import type { SignedResponse, TestSite } from '../../../test/stack/index.ts';
import { decodeState } from '../src/saved-state.ts';
import type { SavedState } from '../src/saved-state.ts';
import { scrape, sum, untilScraped } from './scraped-metrics.ts';
import type { ScrapedMetrics } from './scraped-metrics.ts';

let deployment: Deployment;
let proxies: BehindProxies;
let publisher: Publisher;
let consent: string;

beforeAll(async () => {
  deployment = await Deployment.open(await sharedStack(), {
    env: { RESIDENCY_WATERMARK_MARGIN_MS: '100' },
  });
  proxies = await behindProxies(deployment);
  publisher = new Publisher(deployment);
  consent = await publisher.grant();
  await Promise.all([deployment.start('consent-projector'), deployment.start('router')]);
  await publisher.publish(Array.from({ length: 10 }, () => someOfEach(consent)).flat());
  await publisher.settled();
});

afterAll(async () => {
  await deployment.close();
  await proxies.close();
});

const PASSES = 'residency_reconciliation_passes_total';
const CHECKED = 'residency_placements_checked_total';
const WRONG = 'residency_violations_open{site="mow-1",code="WRONG_REGION"}';
const WRONG_TOTAL = 'residency_violations_total{found_by="reconciler",code="WRONG_REGION"}';
const sinceOf = (metrics: ScrapedMetrics, site: TestSite): number =>
  metrics.get(`residency_placement_last_checked_timestamp_seconds{site="${site}"}`) ?? 0;
const passesOf = (metrics: ScrapedMetrics, result: string): number =>
  metrics.get(`${PASSES}{result="${result}"}`) ?? 0;

/** A state folder of its own, through the proxies, without anybody's right to write. */
async function environment(
  name: string,
  over: Readonly<Record<string, string>> = {},
): Promise<Record<string, string>> {
  const folder = join(deployment.folder, name);
  await mkdir(folder, { recursive: true });
  const writers = TEST_SITES.flatMap((site) =>
    ['ACCESS_KEY_ID', 'SECRET_ACCESS_KEY'].map((part) => [
      `RESIDENCY_SITE_${site.toUpperCase().replace('-', '_')}_${part}`,
      '',
    ]),
  );
  return {
    ...proxies.env,
    ...(Object.fromEntries(writers) as Record<string, string>),
    RESIDENCY_RECONCILER_STATE_DIR: folder,
    ...over,
  };
}

async function stateIn({
  RESIDENCY_RECONCILER_STATE_DIR: folder = '',
}: Readonly<Record<string, string>>): Promise<SavedState> {
  return decodeState(await readFile(join(folder, 'reconciler-state')));
}

/** Objects that the passes under way have behind them. */
async function keptIn(env: Readonly<Record<string, string>>): Promise<number> {
  return Object.values((await stateIn(env)).sites).reduce(
    (total, { pass }) => total + (pass?.checked ?? 0),
    0,
  );
}

async function request(
  site: TestSite,
  method: string,
  key: string,
  more: { readonly headers?: Record<string, string>; readonly body?: Buffer } = {},
): Promise<SignedResponse> {
  return await signedRequest({
    method,
    path: `/${deployment.buckets[site]}/${key}`,
    ...deployment.stack.sites[site],
    ...more,
  });
}

/** Copies an object byte for byte, with its metadata, as somebody with the credentials can. */
async function copyByHand(key: string, from: TestSite, to: TestSite): Promise<void> {
  const { status, headers, body } = await request(from, 'GET', key);
  expect(status).toBe(200);
  const metadata = Object.fromEntries(
    Object.entries(headers)
      .filter(([name]) => name.startsWith('x-amz-meta-'))
      .map(([name, value]) => [name, String(value)]),
  );
  expect((await request(to, 'PUT', key, { headers: metadata, body })).status).toBe(200);
}

interface Placed {
  readonly key: string;
  readonly sites: readonly string[];
}

async function placed(): Promise<readonly Placed[]> {
  const events = await Array.fromAsync(deployment.log.read(TOPICS.audit, { until: 'end' }));
  return events
    .map(({ value }) => decodeAuditEvent(value ?? Buffer.alloc(0)))
    .flatMap((event) =>
      event.outcome === 'stored'
        ? [
            {
              key: event.data.placements[0]?.key ?? '',
              sites: event.data.placements.map(({ site }) => site),
            },
          ]
        : [],
    );
}

async function keyIn(site: TestSite): Promise<string> {
  return (await placed()).find(({ sites }) => sites.includes(site))?.key ?? '';
}

interface Line {
  readonly level: string;
  readonly msg?: string;
  readonly code?: string;
  readonly site?: string;
  readonly position?: string;
  readonly submission?: string;
}

function linesOf({ output }: ServiceProcess, level: string): readonly Line[] {
  return output
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Line)
    .filter((line) => line.level === level && line.msg !== 'Listening.');
}

test("with the readers' credentials alone it finds nothing while routers route, exposes since when each site is checked, and exits with 0", async () => {
  const before = Date.now() / 1_000;
  const reconciler = await deployment.start(
    'reconciler',
    await environment('clean', { RESIDENCY_RECONCILER_PAUSE_MS: '0' }),
  );
  await untilScraped(reconciler, (metrics) => passesOf(metrics, 'clean') >= 1);
  for (let round = 0; round < 100; round += 1) {
    await publisher.publish(someOfEach(consent));
    await sleep(50);
  }
  await publisher.settled();
  const now = passesOf(await scrape(reconciler), 'clean');
  const metrics = await untilScraped(reconciler, (then) => passesOf(then, 'clean') >= now + 2);
  expect([
    linesOf(reconciler, 'error'),
    linesOf(reconciler, 'warn'),
    linesOf(reconciler, 'info'),
  ]).toEqual([[], [], []]);
  expect([
    passesOf(metrics, 'different'),
    passesOf(metrics, 'failed'),
    sum(metrics, 'residency_violations_total'),
    sum(metrics, 'residency_differences_open'),
    sum(metrics, 'residency_waiting'),
  ]).toEqual([0, 0, 0, 0, 0]);
  for (const site of TEST_SITES) {
    expect(sinceOf(metrics, site)).toBeGreaterThanOrEqual(before);
    expect(
      metrics.get(`residency_store_requests_total{site="${site}",operation="get",result="ok"}`),
    ).toBeGreaterThan(0);
  }
  expect(await reconciler.stop()).toBe(0);
});

test("an object that was copied to another region's site by hand is reported once, also across a kill, and is open until it is gone", async () => {
  const env = await environment('copied');
  const reconciler = await deployment.start('reconciler', env);
  await untilScraped(reconciler, (metrics) => passesOf(metrics, 'clean') >= 1);
  const key = await keyIn('zrh-1');
  await copyByHand(key, 'zrh-1', 'mow-1');
  const metrics = await untilScraped(
    reconciler,
    (then) => then.get(WRONG) === 1 && passesOf(then, 'different') >= 2,
  );
  expect([
    metrics.get(WRONG_TOTAL),
    sum(metrics, 'residency_violations_total'),
    sum(metrics, 'residency_violations_open'),
    metrics.get('residency_differences_open{code="WRONG_REGION"}'),
  ]).toEqual([1, 1, 1, 1]);
  expect(linesOf(reconciler, 'error')).toEqual([
    expect.objectContaining({
      code: 'WRONG_REGION',
      site: 'mow-1',
      submission: key.split('/').at(-1),
      position: expect.stringMatching(/\/threat\.samples\/[01]\/\d+$/),
    }),
  ]);

  expect(await reconciler.stop('SIGKILL')).toBe('SIGKILL');
  const again = await deployment.start('reconciler', env);
  // Before its first pass could find it anew.
  expect((await scrape(again)).get(WRONG)).toBe(1);
  const after = await untilScraped(again, (then) => passesOf(then, 'different') >= 2);
  expect([after.get(WRONG), after.get(WRONG_TOTAL), linesOf(again, 'error')]).toEqual([1, 0, []]);

  expect((await request('mow-1', 'DELETE', key)).status).toBe(204);
  const gone = await untilScraped(again, (then) => passesOf(then, 'clean') >= 1);
  expect([gone.get(WRONG), sum(gone, 'residency_violations_open'), gone.get(WRONG_TOTAL)]).toEqual([
    0, 0, 0,
  ]);
  expect(linesOf(again, 'info')).toEqual([
    expect.objectContaining({ code: 'WRONG_REGION', site: 'mow-1' }),
  ]);
  expect(await again.stop()).toBe(0);
});

test('killed in the middle of a pass it resumes: checked objects are not read again, and the pass keeps its start', async () => {
  const objects = (await placed()).reduce((total, { sites }) => total + sites.length, 0);
  const reads = (): number =>
    TEST_SITES.reduce(
      (total, site) =>
        total +
        proxies.sites[site].requests.filter(
          ({ method, path }) => method === 'GET' && path.includes('/samples/'),
        ).length,
      0,
    );
  const env = await environment('killed', { RESIDENCY_RECONCILER_PAUSE_MS: '86400000' });
  const from = reads();
  const slow = await deployment.start('reconciler', {
    ...env,
    RESIDENCY_RECONCILER_READS_PER_SECOND: '8',
  });
  // Kept about once a second.
  await eventually(async () => ((await keptIn(env).catch(() => 0)) > 15 ? true : undefined));
  expect(await slow.stop('SIGKILL')).toBe('SIGKILL');
  const first = reads() - from;
  const state = await stateIn(env);
  const kept = await keptIn(env);
  expect([kept > 0, kept < objects]).toEqual([true, true]);

  const fast = await deployment.start('reconciler', env);
  const metrics = await untilScraped(fast, (then) => passesOf(then, 'clean') === 1);
  expect(sum(metrics, CHECKED)).toBe(objects - kept);
  expect(reads() - from).toBe(first + objects - kept);
  for (const site of TEST_SITES)
    expect(sinceOf(metrics, site)).toBe((state.sites[site]?.pass?.began ?? NaN) / 1_000);

  // The next one knows, and has nothing to do for a day.
  expect(await fast.stop()).toBe(0);
  const next = await deployment.start('reconciler', env);
  const known = await scrape(next);
  expect([TEST_SITES.map((site) => sinceOf(known, site)), sum(known, CHECKED)]).toEqual([
    TEST_SITES.map((site) => sinceOf(metrics, site)),
    0,
  ]);
  expect(await next.stop()).toBe(0);
});

test('on SIGTERM in the middle of a pass it exits with 0, and saves its progress', async () => {
  const env = await environment('stopped', { RESIDENCY_RECONCILER_READS_PER_SECOND: '5' });
  const reconciler = await deployment.start('reconciler', env);
  await untilScraped(reconciler, (metrics) => sum(metrics, CHECKED) >= 5);
  expect(await reconciler.stop()).toBe(0);
  expect(await keptIn(env)).toBeGreaterThanOrEqual(3);
});

test('an unreachable site is reported and waited for, and the others are compared pass after pass', async () => {
  const reconciler = await deployment.start('reconciler', await environment('away'));
  await untilScraped(reconciler, (metrics) => passesOf(metrics, 'clean') >= 1);
  proxies.sites['zrh-2'].refuse();
  await waitingFor(reconciler, 'SITE_UNREACHABLE');
  const away = await scrape(reconciler);
  const later = await untilScraped(
    reconciler,
    (metrics) =>
      sinceOf(metrics, 'mow-1') > sinceOf(away, 'mow-1') + 2 &&
      sinceOf(metrics, 'zrh-1') > sinceOf(away, 'zrh-1'),
  );
  expect([
    sinceOf(later, 'zrh-2'),
    sum(later, 'residency_differences_open'),
    passesOf(later, 'different'),
    passesOf(later, 'failed'),
  ]).toEqual([sinceOf(away, 'zrh-2'), 0, 0, 0]);
  // Partitions are read in no order: another time it may be another key.
  const key = await keyIn('zrh-1');
  await copyByHand(key, 'zrh-1', 'mow-1');
  await untilScraped(reconciler, (metrics) => metrics.get(WRONG) === 1);
  expect((await request('mow-1', 'DELETE', key)).status).toBe(204);
  proxies.sites['zrh-2'].clear();
  await reconciler.ready();
  const back = await untilScraped(
    reconciler,
    (metrics) =>
      sinceOf(metrics, 'zrh-2') > sinceOf(later, 'zrh-2') &&
      sum(metrics, 'residency_violations_open') === 0,
  );
  expect(sum(back, 'residency_waiting')).toBe(0);
  expect(await reconciler.stop()).toBe(0);
});

test('a pause of routing does not pause it', async () => {
  const reconciler = await deployment.start('reconciler', await environment('paused'));
  await deployment.log.append([
    controlEntry({ type: ROUTING_PAUSED, data: { reason: 'test' } }, randomUUID(), SALT),
  ]);
  const now = passesOf(await scrape(reconciler), 'clean');
  await untilScraped(reconciler, (metrics) => passesOf(metrics, 'clean') >= now + 3);
  await deployment.log.append([
    controlEntry({ type: ROUTING_RESUMED, data: {} }, randomUUID(), SALT),
  ]);
  expect(await reconciler.stop()).toBe(0);
});

test('the bucket of another site, or the state of another log, ends it with 1 and a message', async () => {
  const regions = JSON.parse(await readFile(join(deployment.folder, 'regions.json'), 'utf8')) as {
    sites: Record<string, object>;
  };
  const swapped = join(deployment.folder, 'regions-swapped-readers.json');
  await writeFile(
    swapped,
    JSON.stringify({
      sites: { ...regions.sites, 'zrh-1': regions.sites['zrh-2'], 'zrh-2': regions.sites['zrh-1'] },
    }),
  );
  const credentials = ['ACCESS_KEY_ID', 'SECRET_ACCESS_KEY'].flatMap((part) =>
    [
      ['1', '2'],
      ['2', '1'],
    ].map(([to, from]) => [
      `RESIDENCY_SITE_ZRH_${to}_READER_${part}`,
      deployment.env[`RESIDENCY_SITE_ZRH_${from}_READER_${part}`] ?? '',
    ]),
  );
  const wrong = await deployment.launch('reconciler', {
    ...(await environment('swapped')),
    RESIDENCY_REGIONS_FILE: swapped,
    ...(Object.fromEntries(credentials) as Record<string, string>),
  });
  expect([await wrong.exited(), wrong.output]).toEqual([
    1,
    expect.stringContaining('SITE_MARKER_MISMATCH'),
  ]);
  const env = await environment('other-log');
  await (await deployment.start('reconciler', env)).stop();
  const other = await deployment.launch('reconciler', {
    ...env,
    RESIDENCY_LOG: `${deployment.env['RESIDENCY_LOG']}-2`,
  });
  expect([await other.exited(), other.output]).toEqual([
    1,
    expect.stringContaining('STATE_OF_ANOTHER_LOG'),
  ]);
});

test('of two on the same folder one reports it and exits, and the other continues', async () => {
  const env = await environment('twice');
  const both = [
    await deployment.start('reconciler', env),
    await deployment.launch('reconciler', env),
  ] as const;
  const ended = await Promise.race(
    both.map(async (one) => {
      await one.exited();
      return one;
    }),
  );
  expect([await ended.exited(), ended.output]).toEqual([1, expect.stringContaining('STATE_TAKEN')]);
  const left = both.find((one) => one !== ended) ?? ended;
  const now = passesOf(await scrape(left), 'clean');
  await untilScraped(left, (metrics) => passesOf(metrics, 'clean') > now + 1);
  expect(await left.stop()).toBe(0);
});

test('with RESIDENCY_REPAIR=auto a copy that a site lost is ordered, and a custodian makes it anew', async () => {
  const key = await keyIn('zrh-2');
  const before = await request('zrh-2', 'GET', key);
  expect((await request('zrh-2', 'DELETE', key)).status).toBe(204);
  const env = await environment('repair', { RESIDENCY_REPAIR: 'auto' });
  const services = [
    await deployment.start('reconciler', env),
    await deployment.start('custodian', { RESIDENCY_CUSTODIAN_REGION: 'zurich' }),
  ];
  const after = await eventually(async () => {
    const found = await request('zrh-2', 'GET', key);
    if (found.status === 200) return found;
    await sleep(100);
    return undefined;
  });
  expect(after.body).toEqual(before.body);
  for (const service of services) await service.stop();
  const control = await Array.fromAsync(deployment.log.read(TOPICS.control, { until: 'end' }));
  expect(
    control.map((record) => controlEventIn(record)).filter((e) => e?.type === SITE_REPAIR_ORDERED),
  ).toEqual([
    expect.objectContaining({
      principal: 'reconciliation',
      data: expect.objectContaining({ site: 'zrh-2', region: 'zurich' }),
    }),
  ]);
});

test('with RESIDENCY_RETENTION=auto what a region keeps no longer is ordered once, and a custodian erases it', async () => {
  const stored = (await placed()).filter(({ sites }) => sites.includes('zrh-1'));
  const { document } = SHIPPED_POLICY;
  const effectiveFrom = Date.now() + 3_000;
  const regions = document.regions.map((region) =>
    region.id === 'zurich' ? { ...region, keepDays: 0.000_01 } : region,
  );
  await deployment.log.append([
    policyEntry(
      { ...document, version: 2, effectiveFrom: new Date(effectiveFrom).toISOString(), regions },
      randomUUID(),
    ),
  ]);
  const env = await environment('retention', { RESIDENCY_RETENTION: 'auto' });
  const reconciler = await deployment.start('reconciler', env);
  await deployment.start('custodian', { RESIDENCY_CUSTODIAN_REGION: 'zurich' });
  const OVERDUE = 'residency_samples_overdue{region="zurich"}';
  await eventually(async () => {
    const bodies = await Promise.all(
      stored.map(async ({ key }) => (await request('zrh-2', 'GET', key)).body.toString('latin1')),
    );
    return bodies.every((body) => body.startsWith('{"erased":')) ? true : undefined;
  });
  const passed = passesOf(await scrape(reconciler), 'clean');
  const metrics = await untilScraped(
    reconciler,
    (then) => then.get(OVERDUE) === 0 && passesOf(then, 'clean') > passed,
  );
  expect(sum(metrics, 'residency_differences_open')).toBe(0);
  const control = await Array.fromAsync(deployment.log.read(TOPICS.control, { until: 'end' }));
  const orders = control
    .map((record) => controlEventIn(record))
    .filter((event) => event?.type === ERASURE_ORDERED);
  expect(orders.map((event) => [event?.principal, event?.data.reason])).toEqual(
    orders.map(() => ['retention', 'kept for 0.00001 days']),
  );
  expect(orders.flatMap((event) => event?.data.submissions ?? []).toSorted()).toEqual(
    stored.map(({ key }) => key.split('/').at(-1) ?? '').toSorted(),
  );
});
