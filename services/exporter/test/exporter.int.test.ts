import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROUTING_PAUSED, ROUTING_RESUMED, TOPICS, controlEntry } from '@residency/contracts';
import type { ControlEvent, Position } from '@residency/contracts';
import { IntakeObserver } from '@residency/observation';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../../../test/running-deployment/deployment.ts';
import type { ServiceProcess } from '../../../test/running-deployment/service-process.ts';
import { deleteGroup, deleteRecords } from '../../../test/faults/cluster/kafka-request.ts';
import { Publisher } from '../../../test/faults/cluster/publisher.ts';
import { waitingFor } from '../../../test/faults/cluster/waiting-for.ts';
import { openStack, sharedKafka, sharedSites } from '../../../test/stack/index.ts';
import type { OwnStack } from '../../../test/stack/index.ts';
import { Scraped, tells } from './scraped.ts';
import { SALT } from '@residency/testkit';

let own: OwnStack;
let deployment: Deployment;
let publisher: Publisher;
let consent: string;
let exporter: ServiceProcess;

beforeAll(async () => {
  own = await openStack({ redis: true });
  const stack = { kafka: await sharedKafka(), sites: await sharedSites(), redis: own.redis };
  deployment = await Deployment.open(stack, {
    env: {
      RESIDENCY_WATERMARK_MARGIN_MS: '100',
      RESIDENCY_EXPORTER_INTERVAL_MS: '1000',
      RESIDENCY_TOPIC_RETENTION_MS: '7200000',
    },
  });
  publisher = new Publisher(deployment);
  consent = await publisher.grant();
  await deployment.start('consent-projector');
  // Another one than the topic has, which is what counts.
  exporter = await deployment.start('exporter', { RESIDENCY_TOPIC_RETENTION_MS: '3600000' });
});

afterAll(async () => {
  await deployment.close();
  await own.close();
});

const LAG = 'kafka_consumergroup_lag';
const AGE = 'residency_oldest_unsettled_age_seconds';
const QUARANTINED = 'residency_quarantine_records{reason="COUNTRY_UNKNOWN"}';
const EXPIRED = 'residency_quarantine_expired_total';
const readAt = (source: string): string =>
  `residency_exporter_last_success_timestamp_seconds{source="${source}"}`;
const nameOf = (topic: string): string => `${deployment.kafka.topicPrefix}${topic}`;

async function publish(countries: readonly string[], by = consent): Promise<readonly Position[]> {
  return await publisher.publish(
    countries.map((country) => ({ country, consent: by, becomes: '' })),
  );
}

async function appendControl(event: ControlEvent): Promise<void> {
  await deployment.log.append([controlEntry(event, randomUUID(), SALT)]);
}

test('is ready once all of it was read, and tells of views, policy and retention as they are', async () => {
  const told = await tells(
    exporter,
    (now) =>
      (now.value('residency_view_watermark_lag_seconds{view="policy"}') ?? Infinity) < 60 &&
      (now.value('residency_view_watermark_lag_seconds{view="consent"}') ?? Infinity) < 60,
  );
  expect(told.by('residency_policy_in_force_info', 'version')).toEqual({ 1: 1 });
  expect(told.value('residency_policy_versions')).toBe(1);
  expect(told.value('residency_consent_view_halted')).toBe(0);
  expect(told.value('residency_intake_retention_seconds')).toBe(7_200);
  expect(new Set(Object.values(told.by('residency_append_time_ahead_seconds', 'topic')))).toEqual(
    new Set([0]),
  );
  expect(told.by('residency_append_time_ahead_seconds', 'topic')).toHaveProperty([
    nameOf('threat.consents'),
  ]);
  expect(told.by('residency_control_state', 'state')).toEqual({
    running: 1,
    paused: 0,
    draining: 0,
  });
  expect(told.sum('residency_quarantine_records')).toBe(0);
  expect(told.value('residency_quarantine_oldest_age_seconds')).toBeUndefined();
  expect(
    Object.values(told.by('residency_exporter_last_success_timestamp_seconds', 'source')).every(
      (at) => at > 0,
    ),
  ).toBe(true);
});

test('what brokers stamp is seen to be an hour ahead of a clock, or behind it', async () => {
  const HOUR_MS = 3_600_000;
  const leads = async (shift: number): Promise<readonly number[]> => {
    const observer = new IntakeObserver(deployment.log, () => Date.now() + shift);
    await observer.appendTimes();
    // Until the next ticks.
    await sleep(1_000);
    return (await observer.appendTimes()).flatMap(({ topic, aheadMs }) =>
      topic === TOPICS.consents ? [Math.round(aheadMs / 600_000)] : [],
    );
  };
  expect(await leads(-HOUR_MS)).toEqual([6]);
  expect(await leads(HOUR_MS)).toEqual([-6]);
  expect(await leads(0)).toEqual([0]);
});

test("tells the lag though no router ever ran, by the names others' rules know, and how old the oldest record is", async () => {
  const positions = await publish(['CH', 'RU', 'JP', 'BR', 'CH']);
  const told = await tells(exporter, (now) => now.sum(LAG) === 5 && (now.sum(AGE) ?? 0) > 0);
  expect(told.by(LAG, 'consumergroup')).toHaveProperty([nameOf('residency-router')]);
  expect(told.by(LAG, 'topic')).toHaveProperty([nameOf('threat.samples')]);
  const published = new Set(positions.map(({ partition }) => String(partition)));
  for (const partition of ['0', '1'])
    expect([partition, (told.by(AGE, 'partition')[partition] ?? 0) > 0]).toEqual([
      partition,
      published.has(partition),
    ]);
  expect(told.sum('kafka_consumergroup_current_offset')).toBeUndefined();
  expect(told.by('kafka_topic_partition_current_offset', 'topic')).toHaveProperty(
    [nameOf('residency.audit')],
    0,
  );
});

test("tells that all is settled once routers have done it, and after the group's positions are gone", async () => {
  const router = await deployment.start('router');
  await publisher.settled();
  // A broker may show the events before the positions of the same transactions.
  const settled = await tells(
    exporter,
    (now) => now.sum(LAG) === 0 && now.sum('kafka_consumergroup_current_offset') === 5,
  );
  expect([settled.sum(AGE), settled.sum('residency_progress_lost')]).toEqual([0, 0]);
  expect(await router.stop()).toBe(0);
  await deleteGroup(deployment.kafka.brokers, nameOf('residency-router'));
  const forgotten = await tells(
    exporter,
    (now) => now.sum('kafka_consumergroup_current_offset') === undefined,
  );
  expect([
    forgotten.sum(LAG),
    forgotten.sum(AGE),
    forgotten.sum('residency_progress_lost'),
  ]).toEqual([0, 0, 0]);
});

test('quarantined records count until they are sent through again or dropped, also for one that starts anew', async () => {
  const router = await deployment.start('router');
  const other = await publisher.grant();
  await publish(['EU'], other);
  const told = await tells(exporter, (now) => now.value(QUARANTINED) === 1);
  expect(told.value('residency_quarantine_time_left_seconds')).toBeLessThanOrEqual(7_200);
  expect(told.value('residency_quarantine_oldest_age_seconds')).toBeGreaterThanOrEqual(0);
  // Quarantined again: another record waits in its place. The exporter has read its event once it
  // has read one behind it.
  expect(
    (await deployment.residency('quarantine', 'redrive', '--reason', 'COUNTRY_UNKNOWN')).code,
  ).toBe(0);
  await publish(['ZZ'], other);
  await publisher.settled();
  await tells(exporter, (now) => now.value(QUARANTINED) === 2);
  await publisher.withdraw(other);
  expect(
    (await deployment.residency('quarantine', 'redrive', '--reason', 'COUNTRY_UNKNOWN')).code,
  ).toBe(0);
  const redriven = await tells(exporter, (now) => now.value(QUARANTINED) === 0);
  expect([
    redriven.value(EXPIRED),
    redriven.value('residency_quarantine_time_left_seconds'),
  ]).toEqual([0, undefined]);

  // Of one partition.
  const [dropped] = await publish(['EU']);
  await publish(['EU']);
  if (dropped === undefined) throw new Error('Expected a position.');
  await tells(exporter, (now) => now.value(QUARANTINED) === 2);
  const second = await deployment.start('exporter');
  expect((await Scraped.of(second)).value(QUARANTINED)).toBe(2);
  await deleteRecords(
    deployment.kafka.brokers,
    nameOf(TOPICS.samples),
    dropped.partition,
    dropped.offset + 1n,
  );
  for (const service of [exporter, second])
    await tells(service, (now) => now.value(QUARANTINED) === 1 && now.value(EXPIRED) === 1);
  expect(await second.stop()).toBe(0);
  const third = await deployment.start('exporter');
  const anew = await Scraped.of(third);
  expect([anew.value(QUARANTINED), anew.value(EXPIRED)]).toEqual([1, 0]);
  expect(await Promise.all([third.stop(), router.stop()])).toEqual([0, 0]);
});

test('tells that people paused routing, and that it goes on', async () => {
  await appendControl({ type: ROUTING_PAUSED, data: { reason: 'test' } });
  const paused = await tells(
    exporter,
    (now) => now.value('residency_control_state{state="paused"}') === 1,
  );
  expect(paused.by('residency_control_state', 'state')).toEqual({
    running: 0,
    paused: 1,
    draining: 0,
  });
  await appendControl({ type: ROUTING_RESUMED, data: {} });
  const running = await tells(
    exporter,
    (now) => now.value('residency_control_state{state="paused"}') === 0,
  );
  expect(running.by('residency_control_state', 'state')).toEqual({
    running: 1,
    paused: 0,
    draining: 0,
  });
});

test("Redis is stopped: what it would tell is absent, Kafka's is told on, and it says so once", async () => {
  const before = await Scraped.of(exporter);
  await own.servers.redis.stop();
  await waitingFor(exporter, 'REDIS_UNREACHABLE');
  const away = await tells(
    exporter,
    (now) => (now.value(readAt('kafka')) ?? 0) > (before.value(readAt('kafka')) ?? 0) + 2,
  );
  expect([
    away.value('residency_view_watermark_lag_seconds{view="consent"}'),
    away.value('residency_consent_view_halted'),
  ]).toEqual([undefined, undefined]);
  expect([
    away.sum(LAG),
    away.value('residency_policy_versions'),
    away.value('residency_waiting{code="REDIS_UNREACHABLE"}'),
  ]).toEqual([0, 1, 1]);
  const stands = away.value(readAt('redis'));
  const later = await tells(
    exporter,
    (now) => (now.value(readAt('kafka')) ?? 0) > (away.value(readAt('kafka')) ?? 0) + 2,
  );
  expect(later.value(readAt('redis'))).toBe(stands);
  await own.servers.redis.start();
  await tells(
    exporter,
    (now) =>
      now.value('residency_consent_view_halted') === 0 &&
      now.sum('residency_waiting') === undefined,
  );
  await exporter.ready();
  const lines = exporter.output.split('\n').filter((line) => line.includes('Exporting'));
  expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
    'Exporting waits.',
    'Exporting goes on.',
  ]);
});

test('records that were never settled are dropped: progress is lost', async () => {
  const [lost] = await publish(['CH', 'CH', 'CH']);
  if (lost === undefined) throw new Error('Expected a position.');
  await tells(exporter, (now) => now.sum(LAG) === 3);
  await deleteRecords(
    deployment.kafka.brokers,
    nameOf(TOPICS.samples),
    lost.partition,
    lost.offset + 1n,
  );
  const told = await tells(
    exporter,
    (now) => now.value(`residency_progress_lost{partition="${lost.partition}"}`) === 1,
  );
  expect([told.sum('residency_progress_lost'), told.sum(LAG), (told.sum(AGE) ?? 0) > 0]).toEqual([
    1,
    3,
    true,
  ]);
});

test('told to stop it ends with 0', async () => {
  expect(await exporter.stop()).toBe(0);
});
