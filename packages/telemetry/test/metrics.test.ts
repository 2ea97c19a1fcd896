import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { METRICS, METRIC_SOURCES } from '../src/catalogue.ts';
import { metricsReference } from '../src/metrics-reference.ts';
import { createMetrics } from '../src/metrics.ts';
import type { Metrics } from '../src/metrics.ts';
import type { RouterMetrics } from '../src/router-metrics.ts';

type Settled = Parameters<RouterMetrics['settled']>[0];

const HEX = 'a'.repeat(64);
const SITES = ['zrh-1', 'mow-1'];
const decision = (region: string) => ({
  region,
  rule: 'europe',
  policy: { id: 'gti', version: 1, digest: HEX },
});
const stored = (region: string, sampleBytes = 10, at = 0): Settled => ({
  at,
  outcome: 'stored',
  data: {
    previous: null,
    submission: HEX,
    sampleSha256: HEX,
    sampleBytes,
    verdict: 'malicious',
    country: 'CH',
    consentId: 'consent-1',
    termsVersion: '1',
    decision: decision(region),
    placements: [],
  },
});
const refused: Settled = {
  at: 0,
  outcome: 'refused',
  data: {
    previous: null,
    submission: HEX,
    sampleBytes: 5,
    verdict: 'malicious',
    consentId: 'consent-1',
    reason: 'CONSENT_UNKNOWN',
  },
};
const quarantined: Settled = {
  at: 0,
  outcome: 'quarantined',
  data: { previous: null, reason: 'TOO_LARGE' },
};

let clock = 0;
const create = (): Metrics =>
  createMetrics({ service: 'router', version: '0.1.0', now: () => clock });
const routing = (): { metrics: Metrics; router: RouterMetrics } => {
  const metrics = create();
  return { metrics, router: metrics.routing(['zurich', 'moscow']) };
};
const linesOf = async (source: Metrics, name: string) =>
  (await source.render()).body
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
    .sort();

test('counts settled records by outcome, reason and region, and the stored bytes', async () => {
  const { metrics, router } = routing();
  for (const event of [stored('zurich', 10), stored('zurich', 32), refused, quarantined])
    router.settled(event);
  expect(await linesOf(metrics, 'residency_submissions_total')).toEqual([
    'residency_submissions_total{outcome="quarantined",reason="TOO_LARGE",region=""} 1',
    'residency_submissions_total{outcome="refused",reason="CONSENT_UNKNOWN",region=""} 1',
    'residency_submissions_total{outcome="stored",reason="",region="moscow"} 0',
    'residency_submissions_total{outcome="stored",reason="",region="zurich"} 2',
  ]);
  expect(await linesOf(metrics, 'residency_sample_bytes_total')).toEqual([
    'residency_sample_bytes_total{region="moscow"} 0',
    'residency_sample_bytes_total{region="zurich"} 42',
  ]);
});

test('an outcome is late when it took longer than the objective from the append, and not at it', async () => {
  const { metrics, router } = routing();
  clock = 100_000;
  for (const at of [99_000, 40_000, 39_999]) router.settled(stored('zurich', 1, at));
  expect(await linesOf(metrics, 'residency_settlement_age_seconds_bucket')).toEqual(
    expect.arrayContaining([
      'residency_settlement_age_seconds_bucket{le="60",region="zurich"} 2',
      'residency_settlement_age_seconds_bucket{le="120",region="zurich"} 3',
    ]),
  );
});

test("a clock that is behind the broker's makes no negative age", async () => {
  const { metrics, router } = routing();
  clock = 0;
  router.settled(stored('zurich', 1, 5_000));
  expect(await linesOf(metrics, 'residency_settlement_age_seconds_sum')).toContain(
    'residency_settlement_age_seconds_sum{region="zurich"} 0',
  );
});

test('a stage that failed is not in flight any more', async () => {
  const { metrics, router } = routing();
  const [one, other] = [router.stage('store'), router.stage('store')];
  expect(await linesOf(metrics, 'residency_stage_in_flight')).toContain(
    'residency_stage_in_flight{stage="store"} 2',
  );
  one();
  other();
  expect(await linesOf(metrics, 'residency_stage_in_flight')).toContain(
    'residency_stage_in_flight{stage="store"} 0',
  );
  expect(await linesOf(metrics, 'residency_stage_duration_seconds_count')).toEqual([
    'residency_stage_duration_seconds_count{stage="store"} 2',
  ]);
});

test('names what the work waits for, and nothing once it goes on', async () => {
  const metrics = create();
  metrics.waiting('SITE_FULL');
  metrics.waiting('SITE_UNREACHABLE');
  expect(await linesOf(metrics, 'residency_waiting')).toEqual([
    'residency_waiting{code="SITE_UNREACHABLE"} 1',
  ]);
  metrics.waiting(undefined);
  expect(await linesOf(metrics, 'residency_waiting')).toEqual([]);
});

test('keeps label values few and free of input, whatever comes', async () => {
  const { metrics, router } = routing();
  const requests = metrics.requests(SITES);
  const reconciler = metrics.reconciling(SITES);
  const http = metrics.http(['/events']);
  const exporter = metrics.exporting();
  for (let index = 0; index < 500; index += 1) {
    router.settled(stored(`canary-${index}`));
    // @ts-expect-error no such reason: what a defect upstream would pass
    router.settled({
      at: 0,
      outcome: 'quarantined',
      data: { previous: null, reason: `canary ${index}` },
    });
    // @ts-expect-error no such outcome
    router.settled({ ...refused, outcome: `canary ${index}` });
    router.stage(`canary ${index}`)();
    router.transaction(`canary ${index}`, 1);
    requests.requested(`canary-${index}`, `canary ${index}`, `canary ${index}`, 1);
    requests.requested('zrh-1', 'put', `CODE_${index}`, 1);
    reconciler.checked(`canary-${index}`);
    reconciler.violated(`canary ${index}`);
    reconciler.open([{ site: `canary-${index}`, code: `canary ${index}`, count: 1 }]);
    reconciler.passed({
      sites: [{ site: `canary-${index}`, began: 0 }],
      byCode: { [`canary ${index}`]: 1 },
    });
    http.answered(`/canary/${index}`, index, 1);
    exporter.quarantine({ byReason: new Map([[`canary ${index}`, 1]]), expired: 0 });
    metrics.waiting(`canary "${index}"\n`);
    metrics.logged(`canary ${index}`);
    metrics.logged(`CODE_${index}`);
    metrics.waiting(`CODE_${index}`);
  }
  const { body } = await metrics.render();
  expect(body).not.toContain('canary');
  expect(body.split('\n').length).toBeLessThan(2_000);
  expect(await linesOf(metrics, 'residency_submissions_total')).toHaveLength(5);
  expect(await linesOf(metrics, 'residency_waiting')).toEqual([
    'residency_waiting{code="other"} 1',
  ]);
});

test('renders the build, the process metrics and their content type, apart from any other registry', async () => {
  const { metrics } = routing();
  routing().router.settled(stored('zurich'));
  const { body, contentType } = await metrics.render();
  expect(contentType).toMatch(/^text\/plain/);
  expect(body).toContain('residency_build_info{service="router",version="0.1.0"} 1');
  expect(body).toContain('process_cpu_seconds_total');
  expect(body).toContain(
    'residency_submissions_total{outcome="stored",reason="",region="zurich"} 0',
  );
});

test("a ledger's metrics say how far it is, how old its checkpoint is, what it waits for and what was found", async () => {
  const metrics = create();
  clock = 1_000;
  const ledger = metrics.ledger();
  expect(await linesOf(metrics, 'residency_audit_findings_total')).toContain(
    'residency_audit_findings_total{kind="HOLE"} 0',
  );
  ledger.grown(3, { published: 10, size: 14, current: false });
  ledger.found('HOLE');
  ledger.found('not a kind');
  ledger.waits(3, 'SITE_UNREACHABLE');
  ledger.waits(3, 'SITE_BUSY');
  clock = 3_500;
  expect(
    (
      await Promise.all(
        ['size', 'pending', 'checkpoint_age_seconds', 'blocked'].map((name) =>
          linesOf(metrics, `residency_ledger_${name}`),
        ),
      )
    ).flat(),
  ).toEqual([
    'residency_ledger_size{partition="3"} 10',
    'residency_ledger_pending{partition="3"} 4',
    'residency_ledger_checkpoint_age_seconds{partition="3"} 2.5',
    'residency_ledger_blocked{partition="3",code="SITE_BUSY"} 1',
  ]);
  expect(await linesOf(metrics, 'residency_audit_findings_total')).toEqual(
    expect.arrayContaining([
      'residency_audit_findings_total{kind="HOLE"} 1',
      'residency_audit_findings_total{kind="other"} 1',
    ]),
  );
  ledger.found('MISPLACED');
  expect(await linesOf(metrics, 'residency_violations_total')).toEqual([
    'residency_violations_total{found_by="auditor",code="MISPLACED"} 1',
  ]);
  ledger.grown(3, { published: 14, size: 14, current: true });
  ledger.waits(3, undefined);
  expect(
    (
      await Promise.all(
        ['checkpoint_age_seconds', 'blocked'].map((name) =>
          linesOf(metrics, `residency_ledger_${name}`),
        ),
      )
    ).flat(),
  ).toEqual(['residency_ledger_checkpoint_age_seconds{partition="3"} 0']);
});

test('what stands in the intake log is told by offsets, and nothing old is told once it can not be', async () => {
  const metrics = create();
  const exporter = metrics.exporting();
  const names = { group: 'p.residency-router', topic: 'p.threat.samples' };
  clock = 60_000;
  exporter.intake(names, [
    { partition: 0, start: 5n, end: 20n, committed: 12n, next: 12n, oldestAt: 50_000 },
    { partition: 1, start: 5n, end: 20n, next: 5n },
    { partition: 2, start: 5n, end: 20n, committed: 4n, next: 4n, oldestAt: 0 },
    { partition: 3, start: 5n, end: 20n, committed: 21n, next: 21n },
    { partition: 4, start: 5n, end: 20n, committed: 6n, next: 20n },
    { partition: 5, start: 5n, end: 20n, next: 3n },
  ]);
  const labels = (partition: number) =>
    `consumergroup="p.residency-router",topic="p.threat.samples",partition="${partition}"`;
  expect(await linesOf(metrics, 'kafka_consumergroup_lag')).toEqual(
    [8, 15, 16, 0, 0, 17].map(
      (lag, partition) => `kafka_consumergroup_lag{${labels(partition)}} ${lag}`,
    ),
  );
  expect(await linesOf(metrics, 'residency_progress_lost')).toEqual(
    [0, 0, 1, 1, 0, 1].map(
      (lost, partition) => `residency_progress_lost{partition="${partition}"} ${lost}`,
    ),
  );
  expect(await linesOf(metrics, 'residency_oldest_unsettled_age_seconds')).toContain(
    'residency_oldest_unsettled_age_seconds{partition="0"} 10',
  );
  expect(await linesOf(metrics, 'kafka_consumergroup_current_offset')).toHaveLength(4);
  exporter.topic('p.residency.audit', [{ partition: 0, start: 0n, end: 7n }]);
  expect(await linesOf(metrics, 'kafka_topic_partition_current_offset')).toHaveLength(7);
  exporter.policyVersions(2);
  expect(await linesOf(metrics, 'residency_policy_versions')).toEqual([
    'residency_policy_versions 2',
  ]);
  exporter.intake(names, undefined);
  exporter.policyVersions(undefined);
  const gauges = [
    'kafka_consumergroup_lag',
    'kafka_consumergroup_current_offset',
    'kafka_topic_partition_current_offset',
    'kafka_topic_partition_oldest_offset',
    'residency_oldest_unsettled_age_seconds',
    'residency_progress_lost',
    'residency_policy_versions',
  ];
  expect((await Promise.all(gauges.map((name) => linesOf(metrics, name)))).flat()).toEqual([]);
});

test('a source that was not read since the start is told as such, and when it last was', async () => {
  const metrics = create();
  const exporter = metrics.exporting();
  clock = 60_000;
  exporter.read('redis');
  clock = 90_000;
  const read = (source: string, at: number) =>
    `residency_exporter_last_success_timestamp_seconds{source="${source}"} ${at}`;
  expect(await linesOf(metrics, 'residency_exporter_last_success_timestamp_seconds')).toEqual([
    read('control', 0),
    read('kafka', 0),
    read('policy', 0),
    read('quarantine', 0),
    read('redis', 60),
  ]);
});

test('a quarantine says how old its oldest record is and how long that can still be sent through again', async () => {
  const metrics = create();
  const exporter = metrics.exporting();
  clock = 100_000;
  expect(await linesOf(metrics, 'residency_quarantine_oldest_age_seconds')).toEqual([]);
  expect(await linesOf(metrics, 'residency_intake_retention_seconds')).toEqual([]);
  exporter.retention(3_600_000);
  exporter.quarantine({
    byReason: new Map([['COUNTRY_UNKNOWN', 2]]),
    oldestAt: 40_000,
    expired: 3,
  });
  expect(await linesOf(metrics, 'residency_quarantine_records')).toContain(
    'residency_quarantine_records{reason="COUNTRY_UNKNOWN"} 2',
  );
  expect(await linesOf(metrics, 'residency_quarantine_oldest_age_seconds')).toEqual([
    'residency_quarantine_oldest_age_seconds 60',
  ]);
  expect(await linesOf(metrics, 'residency_quarantine_time_left_seconds')).toEqual([
    'residency_quarantine_time_left_seconds 3540',
  ]);
  exporter.quarantine({ byReason: new Map(), expired: 3 });
  expect(await linesOf(metrics, 'residency_quarantine_time_left_seconds')).toEqual([]);
  expect(await linesOf(metrics, 'residency_quarantine_expired_total')).toEqual([
    'residency_quarantine_expired_total 3',
  ]);
  exporter.quarantine({
    byReason: new Map([['COUNTRY_UNKNOWN', 1]]),
    oldestAt: 40_000,
    expired: 4,
  });
  exporter.retention(Infinity);
  expect(await linesOf(metrics, 'residency_quarantine_time_left_seconds')).toEqual([
    'residency_quarantine_time_left_seconds +Inf',
  ]);
  exporter.retention(undefined);
  expect(
    (
      await Promise.all(
        ['quarantine_time_left', 'intake_retention'].map((name) =>
          linesOf(metrics, `residency_${name}_seconds`),
        ),
      )
    ).flat(),
  ).toEqual([]);
  exporter.quarantine(undefined);
  expect(
    (
      await Promise.all(
        ['records', 'oldest_age_seconds'].map((name) =>
          linesOf(metrics, `residency_quarantine_${name}`),
        ),
      )
    ).flat(),
  ).toEqual([]);
  expect(await linesOf(metrics, 'residency_quarantine_expired_total')).toEqual([
    'residency_quarantine_expired_total 4',
  ]);
});

test('a reconciler tells of each pass what it found and since when its sites are known, and on after a restart', async () => {
  const metrics = create();
  const reconciler = metrics.reconciling(SITES);
  reconciler.recalled({ sites: [{ site: 'zrh-1', began: 1_000 }], byCode: { OBJECT_MISSING: 2 } });
  const results = async (): Promise<readonly string[]> =>
    (await linesOf(metrics, 'residency_reconciliation_passes_total')).map((line) =>
      line.replace(/^.*result=/, ''),
    );
  expect(await results()).toEqual(['"clean"} 0', '"different"} 0', '"failed"} 0']);
  expect(await linesOf(metrics, 'residency_differences_open')).toEqual([
    'residency_differences_open{code="OBJECT_MISSING"} 2',
  ]);
  expect(await linesOf(metrics, 'residency_placement_last_checked_timestamp_seconds')).toEqual([
    'residency_placement_last_checked_timestamp_seconds{site="zrh-1"} 1',
  ]);
  reconciler.passed({ sites: [{ site: 'mow-1', began: 3_000 }], byCode: {} });
  reconciler.passed({ sites: [{ site: 'zrh-1', began: 4_000 }], byCode: { WRONG_REGION: 1 } });
  reconciler.failed();
  expect(await results()).toEqual(['"clean"} 1', '"different"} 1', '"failed"} 1']);
  expect(await linesOf(metrics, 'residency_differences_open')).toEqual([
    'residency_differences_open{code="WRONG_REGION"} 1',
  ]);
  expect(await linesOf(metrics, 'residency_placement_last_checked_timestamp_seconds')).toEqual([
    'residency_placement_last_checked_timestamp_seconds{site="mow-1"} 3',
    'residency_placement_last_checked_timestamp_seconds{site="zrh-1"} 4',
  ]);
});

test('what stands in the wrong place is open until it is told no more', async () => {
  const metrics = create();
  const reconciler = metrics.reconciling(SITES);
  reconciler.open([
    { site: 'mow-1', code: 'WRONG_REGION', count: 1 },
    { site: 'xyz-9', code: 'FOREIGN_SITE', count: 1 },
  ]);
  expect(await linesOf(metrics, 'residency_violations_open')).toEqual([
    'residency_violations_open{site="mow-1",code="WRONG_REGION"} 1',
    'residency_violations_open{site="other",code="FOREIGN_SITE"} 1',
    'residency_violations_open{site="zrh-1",code="WRONG_REGION"} 0',
  ]);
  reconciler.open([]);
  expect(await linesOf(metrics, 'residency_violations_open')).toEqual(
    SITES.toReversed()
      .map((site) => `residency_violations_open{site="${site}",code="WRONG_REGION"} 0`)
      .toSorted(),
  );
});

test('the state people left the system in is one of three, and absent where it can not be told', async () => {
  const metrics = create();
  const control = metrics.control();
  control.is('paused');
  expect(await linesOf(metrics, 'residency_control_state')).toEqual([
    'residency_control_state{state="draining"} 0',
    'residency_control_state{state="paused"} 1',
    'residency_control_state{state="running"} 0',
  ]);
  control.is(undefined);
  expect(await linesOf(metrics, 'residency_control_state')).toEqual([]);
});

test('views are asked for when they are told of, and what can not be seen is absent', async () => {
  const metrics = create();
  clock = 10_000;
  let away = false;
  // The first rendering tells of all of it.
  const first = create();
  first.views(() => ({ policyWatermark: 4_000, inForce: { policy: 'gti', version: 2 } }));
  expect((await first.render()).body).toContain(
    'residency_policy_in_force_info{policy="gti",version="2"} 1',
  );
  metrics.views(() =>
    away
      ? Promise.reject(new Error('away'))
      : { consentWatermark: 9_000, policyWatermark: 4_000, inForce: { policy: 'gti', version: 2 } },
  );
  expect(await linesOf(metrics, 'residency_view_watermark_lag_seconds')).toEqual([
    'residency_view_watermark_lag_seconds{view="consent"} 1',
    'residency_view_watermark_lag_seconds{view="policy"} 6',
  ]);
  expect(await linesOf(metrics, 'residency_policy_in_force_info')).toEqual([
    'residency_policy_in_force_info{policy="gti",version="2"} 1',
  ]);
  const looked = create();
  looked.views(() => ({
    consentWatermark: 9_000,
    consentSeenAt: 9_250,
    policyWatermark: 4_000,
    policySeenAt: 4_500,
  }));
  expect(await linesOf(looked, 'residency_view_watermark_lag_seconds')).toEqual([
    'residency_view_watermark_lag_seconds{view="consent"} 0.25',
    'residency_view_watermark_lag_seconds{view="policy"} 0.5',
  ]);
  away = true;
  expect(await linesOf(metrics, 'residency_view_watermark_lag_seconds')).toEqual([]);
  expect(await linesOf(metrics, 'residency_policy_in_force_info')).toEqual([]);
});

test('every metric of the catalogue is made by the part that has it, and no other of ours', async () => {
  const metrics = create();
  metrics.routing([]);
  metrics.requests([]);
  metrics.views(() => ({}));
  metrics.control();
  metrics.projecting();
  metrics.ledger();
  metrics.exporting();
  metrics.http([]);
  const others = create();
  others.reconciling([]);
  const bodies = [await metrics.render(), await others.render()].map(({ body }) => body).join('\n');
  const made = new Set(
    [...bodies.matchAll(/^# TYPE ((?:residency|kafka)_\w+) (\w+)$/gm)].map(
      ([, name, type]) => `${name} ${type}`,
    ),
  );
  expect([...made].sort()).toEqual(
    Object.entries(METRICS)
      .map(([name, { type }]) => `${name} ${type}`)
      .sort(),
  );
});

test('names follow Prometheus: base units, `_total` for counters and for nothing else', () => {
  for (const [name, { type, by }] of Object.entries(METRICS)) {
    expect(name).toMatch(/^(?:residency|kafka)_[a-z_]+$/);
    expect(name.endsWith('_total')).toBe(type === 'counter');
    expect(name).not.toMatch(/_(?:ms|milliseconds|minutes|mib|percent)(?:_|$)/);
    expect(by.length).toBeGreaterThan(0);
    expect(METRIC_SOURCES).toEqual(expect.arrayContaining([...by]));
  }
});

test('docs/reference/metrics.md is what the code says', async () => {
  expect(
    await readFile(new URL('../../../docs/reference/metrics.md', import.meta.url), 'utf8'),
  ).toBe(metricsReference());
});
