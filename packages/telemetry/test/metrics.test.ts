import { readFile } from 'node:fs/promises';
import { QUARANTINE_REASONS, TOPICS, readPolicy } from '@residency/contracts';
import type { IntakeFacts, PartitionFacts } from '@residency/observation';
import { expect, test } from 'vitest';
import { METRICS } from '../src/catalogue.ts';
import { METRIC_SOURCES } from '../src/metric-sources.ts';
import { metricsReference } from '../src/metrics-reference.ts';
import type { ClusterNames } from '../src/exporter-metrics.ts';
import { createMetrics } from '../src/metrics.ts';
import type { Metrics } from '../src/metrics.ts';
import type { RouterMetrics } from '../src/router-metrics.ts';

type Settled = Parameters<RouterMetrics['settled']>[0];

const HEX = 'a'.repeat(64);
const SITES = ['zrh-1', 'mow-1'];
const NAMES: ClusterNames = { group: 'p.residency-router', nameOf: (topic) => `p.${topic}` };
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
  return { metrics, router: metrics.routing(['zurich', 'moscow'], ['zrh-1', 'zrh-2']) };
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
  // Each reason of a quarantine stands at 0 from the start, so that its first record is an
  // increase.
  const lines = await linesOf(metrics, 'residency_submissions_total');
  const never = lines.filter((line) =>
    /^residency_submissions_total\{outcome="quarantined",reason="[A-Z_]+",region=""\} 0$/.test(
      line,
    ),
  );
  expect(never).toHaveLength(QUARANTINE_REASONS.length - 1);
  expect(lines.filter((line) => !never.includes(line))).toEqual([
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

test('the record that blocks a partition is named by its offset, and no longer than it does or the partition is ours', async () => {
  const { metrics, router } = routing();
  const blocked = () => linesOf(metrics, 'residency_routing_blocked_offset');
  expect(await blocked()).toEqual([]);
  router.blocked(0, 0n);
  router.blocked(3, 42n);
  router.blocked(1, undefined);
  expect(await blocked()).toEqual([
    'residency_routing_blocked_offset{partition="0"} 0',
    'residency_routing_blocked_offset{partition="3"} 42',
  ]);
  router.blocked(0, undefined);
  expect(await blocked()).toEqual(['residency_routing_blocked_offset{partition="3"} 42']);
  router.rebalanced(2);
  expect(await blocked()).toEqual([]);
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

test('names the error that the work waits for, and none once it continues', async () => {
  const metrics = create();
  metrics.waiting('SITE_FULL');
  metrics.waiting('SITE_UNREACHABLE');
  expect(await linesOf(metrics, 'residency_waiting')).toEqual([
    'residency_waiting{code="SITE_UNREACHABLE"} 1',
  ]);
  metrics.waiting(undefined);
  expect(await linesOf(metrics, 'residency_waiting')).toEqual([]);
});

test('keeps label values few and free of input', async () => {
  const { metrics, router } = routing();
  const requests = metrics.requests(SITES);
  const reconciler = metrics.reconciling(SITES);
  const http = metrics.http(['/events']);
  const exporter = metrics.exporting(NAMES);
  for (let index = 0; index < 500; index += 1) {
    router.settled(stored(`canary-${index}`));
    const data = { previous: null, reason: `canary ${index}` };
    // @ts-expect-error no such reason: what a defect upstream would pass
    router.settled({ at: 0, outcome: 'quarantined', data });
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
  expect(await linesOf(metrics, 'residency_submissions_total')).toHaveLength(
    5 + QUARANTINE_REASONS.length,
  );
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

test("a ledger's metrics expose its progress, the age of its checkpoint, the error that it waits for, and findings", async () => {
  const metrics = create();
  const OF = { topic: 'residency.audit', partition: 3 } as const;
  clock = 1_000;
  const ledger = metrics.ledger();
  expect(await linesOf(metrics, 'residency_audit_findings_total')).toContain(
    'residency_audit_findings_total{topic="residency.audit",kind="HOLE"} 0',
  );
  ledger.grown(OF, { published: 10, size: 14, current: false });
  ledger.found('residency.audit', 'HOLE');
  ledger.found('residency.audit', 'not a kind');
  ledger.waits(OF, 'SITE_UNREACHABLE');
  ledger.waits(OF, 'SITE_BUSY');
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
    'residency_ledger_size{topic="residency.audit",partition="3"} 10',
    'residency_ledger_pending{topic="residency.audit",partition="3"} 4',
    'residency_ledger_checkpoint_age_seconds{topic="residency.audit",partition="3"} 2.5',
    'residency_ledger_blocked{topic="residency.audit",partition="3",code="SITE_BUSY"} 1',
  ]);
  expect(await linesOf(metrics, 'residency_audit_findings_total')).toEqual(
    expect.arrayContaining([
      'residency_audit_findings_total{topic="residency.audit",kind="HOLE"} 1',
      'residency_audit_findings_total{topic="residency.audit",kind="other"} 1',
    ]),
  );
  const custody = { topic: 'residency.custody.zurich', partition: 0 } as const;
  ledger.waits(custody, undefined);
  expect(await linesOf(metrics, 'residency_audit_findings_total')).toContain(
    'residency_audit_findings_total{topic="residency.custody.zurich",kind="HOLE"} 0',
  );
  ledger.found('residency.audit', 'MISPLACED');
  expect(await linesOf(metrics, 'residency_violations_total')).toEqual([
    'residency_violations_total{found_by="auditor",code="MISPLACED"} 1',
  ]);
  ledger.grown(OF, { published: 14, size: 14, current: true });
  ledger.waits(OF, undefined);
  expect(
    (
      await Promise.all(
        ['checkpoint_age_seconds', 'blocked'].map((name) =>
          linesOf(metrics, `residency_ledger_${name}`),
        ),
      )
    ).flat(),
  ).toEqual([
    'residency_ledger_checkpoint_age_seconds{topic="residency.audit",partition="3"} 0',
    'residency_ledger_checkpoint_age_seconds{topic="residency.custody.zurich",partition="0"} 0',
  ]);
});

test("the intake log's state is exposed by offsets, and no old value once it is unknown", async () => {
  const metrics = create();
  const exporter = metrics.exporting(NAMES);
  clock = 60_000;
  const partition = (number: number, next: bigint, more: Partial<PartitionFacts> = {}) => ({
    partition: number,
    start: 5n,
    end: 20n,
    next,
    settledUpTo: next,
    ...more,
  });
  exporter.intake([
    partition(0, 12n, { committed: 12n, oldestAt: 50_000 }),
    partition(1, 5n),
    partition(2, 4n, { committed: 4n, oldestAt: 0 }),
    partition(3, 21n, { committed: 21n }),
    partition(4, 20n, { committed: 6n }),
    partition(5, 3n),
    // Only markers follow.
    partition(6, 12n, { settledUpTo: 20n }),
  ]);
  const labels = (number: number) =>
    `consumergroup="p.residency-router",topic="p.threat.samples",partition="${number}"`;
  expect(await linesOf(metrics, 'kafka_consumergroup_lag')).toEqual(
    [8, 15, 16, 0, 0, 17, 0].map(
      (lag, number) => `kafka_consumergroup_lag{${labels(number)}} ${lag}`,
    ),
  );
  expect(await linesOf(metrics, 'residency_progress_lost')).toEqual(
    [0, 0, 1, 1, 0, 1, 0].map(
      (lost, number) => `residency_progress_lost{partition="${number}"} ${lost}`,
    ),
  );
  expect(await linesOf(metrics, 'residency_oldest_unsettled_age_seconds')).toContain(
    'residency_oldest_unsettled_age_seconds{partition="0"} 10',
  );
  // What is lost beyond the log's end, and what waits for nobody knows how long, has no age.
  expect(
    (await linesOf(metrics, 'residency_oldest_unsettled_age_seconds')).map((line) =>
      /partition="(\d)"\} (.*)/.exec(line)?.slice(1).join(' '),
    ),
  ).toEqual(['0 10', '2 60', '4 0', '6 0']);
  expect(await linesOf(metrics, 'kafka_consumergroup_current_offset')).toHaveLength(4);
  exporter.topic(TOPICS.audit, [{ partition: 0, start: 0n, end: 7n }]);
  expect(await linesOf(metrics, 'kafka_topic_partition_current_offset')).toHaveLength(8);
  exporter.policyVersions(2);
  expect(await linesOf(metrics, 'residency_policy_versions')).toEqual([
    'residency_policy_versions 2',
  ]);
  exporter.intake(undefined);
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

test('a source exposes that it was not read since the start, or when it last was', async () => {
  const metrics = create();
  const exporter = metrics.exporting(NAMES);
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

test('a quarantine exposes the age of its oldest record, and how long that can still be redriven', async () => {
  const metrics = create();
  const exporter = metrics.exporting(NAMES);
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

test('a reconciler exposes the findings of each pass and the start of the last one for each site, also after a restart', async () => {
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

test('a violation is open until it is no longer reported', async () => {
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

test('a site that is out of service has no time of a last pass, and the others keep theirs', async () => {
  const metrics = create();
  const reconciler = metrics.reconciling(SITES);
  reconciler.recalled({ sites: SITES.map((site) => ({ site, began: 5_000 })), byCode: {} });
  reconciler.outOfService(new Set(['zrh-1']));
  expect(await linesOf(metrics, 'residency_placement_last_checked_timestamp_seconds')).toEqual([
    'residency_placement_last_checked_timestamp_seconds{site="mow-1"} 5',
  ]);
});

test('the control state is one of three, and absent if unknown', async () => {
  const metrics = create();
  const control = metrics.control();
  control.is({
    mode: 'paused',
    services: {
      zurich: {
        number: 0,
        out: new Map([
          ['zrh-2', 1],
          ['zrh-3', 1],
        ]),
        // Nobody expects it back.
        retired: new Set(['zrh-3']),
        claims: new Map(),
      },
    },
  });
  expect(await linesOf(metrics, 'residency_sites_out_of_service')).toEqual([
    'residency_sites_out_of_service 1',
  ]);
  expect(await linesOf(metrics, 'residency_control_state')).toEqual([
    'residency_control_state{state="draining"} 0',
    'residency_control_state{state="paused"} 1',
    'residency_control_state{state="running"} 0',
  ]);
  control.is(undefined);
  expect(await linesOf(metrics, 'residency_control_state')).toEqual([]);
});

test('views are read at each rendering, and unknown values are absent', async () => {
  const metrics = create();
  clock = 10_000;
  let away = false;
  // The first rendering tells of all of it.
  const first = create();
  const { document, digest } = readPolicy(
    await readFile(new URL('../../../policy/residency-1.json', import.meta.url)),
  );
  const versions = [{ document, digest, appendedAt: 0 }];
  first.views((at) => ({ policy: { at, watermark: 4_000, versions } }));
  expect((await first.render()).body).toContain(
    'residency_policy_in_force_info{policy="residency",version="1"} 1',
  );
  metrics.views((at) =>
    away
      ? Promise.reject(new Error('away'))
      : { consents: { at, watermark: 9_000 }, policy: { at, watermark: 4_000, versions } },
  );
  expect(await linesOf(metrics, 'residency_view_watermark_lag_seconds')).toEqual([
    'residency_view_watermark_lag_seconds{view="consent"} 1',
    'residency_view_watermark_lag_seconds{view="policy"} 6',
  ]);
  expect(await linesOf(metrics, 'residency_policy_in_force_info')).toEqual([
    'residency_policy_in_force_info{policy="residency",version="1"} 1',
  ]);
  const looked = create();
  looked.views(() => ({
    consents: { at: 9_250, watermark: 9_000 },
    policy: { at: 4_500, watermark: 4_000, versions: [] },
  }));
  expect(await linesOf(looked, 'residency_view_watermark_lag_seconds')).toEqual([
    'residency_view_watermark_lag_seconds{view="consent"} 0.25',
    'residency_view_watermark_lag_seconds{view="policy"} 0.5',
  ]);
  away = true;
  expect(await linesOf(metrics, 'residency_view_watermark_lag_seconds')).toEqual([]);
  expect(await linesOf(metrics, 'residency_policy_in_force_info')).toEqual([]);
});

test('every metric of the catalogue is created by its part, and no other metric is', async () => {
  const metrics = create();
  metrics.routing([], []);
  metrics.requests([]);
  metrics.custody({ sites: [], unpaidCodes: [] });
  metrics.views(() => ({}));
  metrics.control();
  metrics.projecting();
  metrics.ledger();
  metrics.exporting(NAMES);
  metrics.http([]);
  metrics.vault([]);
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

test('an open transaction is exposed with its age, a replaced topic as such, and neither once unknown', async () => {
  const metrics = create();
  const exporter = metrics.exporting(NAMES);
  clock = 100_000;
  exporter.undecided([
    { topic: TOPICS.samples, partition: 3, offset: 5n, since: 40_000 },
    { topic: TOPICS.audit, partition: 0, offset: 5n },
  ]);
  exporter.identity([
    { topic: TOPICS.samples, state: 'same' },
    { topic: TOPICS.consents, state: 'replaced' },
    { topic: TOPICS.policy, state: 'unknown' },
    { topic: TOPICS.audit, state: 'unsettled' },
  ]);
  clock = 130_000;
  expect(await linesOf(metrics, 'residency_undecided_age_seconds')).toEqual([
    'residency_undecided_age_seconds{topic="p.threat.samples",partition="3"} 60',
  ]);
  expect(await linesOf(metrics, 'residency_log_replaced')).toEqual([
    'residency_log_replaced{topic="p.residency.audit"} 0',
    'residency_log_replaced{topic="p.threat.consents"} 1',
    'residency_log_replaced{topic="p.threat.samples"} 0',
  ]);
  exporter.undecided(undefined);
  exporter.identity(undefined);
  expect([
    ...(await linesOf(metrics, 'residency_undecided_age_seconds')),
    ...(await linesOf(metrics, 'residency_log_replaced')),
  ]).toEqual([]);
});

test('the age of the oldest waiting record of an embedded log is 0 if all are settled, and absent if unknown', async () => {
  const metrics = create();
  clock = 100_000;
  const facts = (over: Partial<PartitionFacts>): (() => Promise<IntakeFacts>) => {
    const partition = { partition: 0, start: 0n, end: 9n, next: 8n, settledUpTo: 8n, ...over };
    return () => Promise.resolve({ at: clock, partitions: [partition], transactions: [] });
  };
  let answer = facts({ oldestAt: 40_000 });
  metrics.unsettled(() => answer());
  const lines = () => linesOf(metrics, 'residency_oldest_unsettled_age_seconds');
  expect(await lines()).toEqual(['residency_oldest_unsettled_age_seconds{partition="0"} 60']);
  answer = facts({ next: 9n, settledUpTo: 9n });
  expect(await lines()).toEqual(['residency_oldest_unsettled_age_seconds{partition="0"} 0']);
  answer = () => Promise.reject(new Error('x'));
  expect(await lines()).toEqual([]);
});
