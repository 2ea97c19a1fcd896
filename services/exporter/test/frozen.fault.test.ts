import { eventually } from '@residency/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../../../test/running-deployment/deployment.ts';
import type { ServiceProcess } from '../../../test/running-deployment/service-process.ts';
import { Publisher } from '../../../test/faults/cluster/publisher.ts';
import { openStack, sharedRedis, sharedSites } from '../../../test/stack/index.ts';
import type { OwnStack } from '../../../test/stack/index.ts';
import { Scraped, tells } from './scraped.ts';

let own: OwnStack;
let deployment: Deployment;
let exporter: ServiceProcess;

beforeAll(async () => {
  own = await openStack({ brokers: 3 });
  const stack = { kafka: own.kafka, sites: await sharedSites(), redis: await sharedRedis() };
  deployment = await Deployment.open(stack, {
    partitions: 6,
    replication: 3,
    env: { RESIDENCY_EXPORTER_INTERVAL_MS: '1000' },
  });
  const publisher = new Publisher(deployment);
  const consent = await publisher.grant();
  await publisher.publish(
    ['CH', 'RU', 'JP', 'BR'].map((country) => ({ country, consent, becomes: '' })),
  );
  await deployment.start('consent-projector');
  exporter = await deployment.start('exporter');
});

afterAll(async () => {
  for (const broker of own.servers.brokers) broker.thaw();
  await deployment.close();
  await own.close();
});

const OF_KAFKA = [
  'kafka_consumergroup_lag',
  'kafka_topic_partition_current_offset',
  'residency_oldest_unsettled_age_seconds',
  'residency_progress_lost',
  'residency_intake_retention_seconds',
  'residency_policy_versions',
  'residency_policy_in_force_info',
  'residency_control_state',
  'residency_quarantine_records',
];
const readAt = (source: string): string =>
  `residency_exporter_last_success_timestamp_seconds{source="${source}"}`;
const absent = (told: Scraped): readonly string[] =>
  OF_KAFKA.filter((name) => told.sum(name) === undefined);

test('every broker is frozen: nothing of Kafka is told, Redis is, and all is told again once they go on', async () => {
  expect(absent(await Scraped.of(exporter))).toEqual([]);
  for (const broker of own.servers.brokers) broker.freeze();
  const frozen = await tells(exporter, (now) => absent(now).length === OF_KAFKA.length);
  expect(
    frozen.value('residency_waiting{code="SOURCE_LATE"}') ??
      frozen.value('residency_waiting{code="KAFKA_UNREACHABLE"}'),
  ).toBe(1);
  expect((await exporter.readiness()).ready).toBe(false);
  const later = await tells(
    exporter,
    (now) => (now.value(readAt('redis')) ?? 0) > (frozen.value(readAt('redis')) ?? 0) + 2,
  );
  expect([later.value('residency_consent_view_halted'), later.value(readAt('kafka'))]).toEqual([
    0,
    frozen.value(readAt('kafka')),
  ]);

  const unable = await deployment.launch('exporter');
  await eventually(
    async () =>
      await Scraped.of(unable).then(
        (now) => (now.value('residency_consent_view_halted') === 0 ? true : undefined),
        () => undefined,
      ),
  );
  expect(absent(await Scraped.of(unable))).toEqual(OF_KAFKA);
  expect(await unable.stop()).toBe(0);

  for (const broker of own.servers.brokers) broker.thaw();
  await tells(
    exporter,
    (now) =>
      absent(now).length === 0 &&
      now.sum('kafka_consumergroup_lag') === 4 &&
      now.sum('residency_waiting') === undefined,
  );
  await exporter.ready();
});

test('one of three brokers stays frozen: all is told again without it', async () => {
  const [broker] = own.servers.brokers;
  const before = await Scraped.of(exporter);
  broker?.freeze();
  const sources = ['kafka', 'policy', 'control', 'quarantine'];
  // Longer than it could go on without asking the frozen one for anything.
  await tells(exporter, (now) =>
    sources.some((source) => (now.value(readAt(source)) ?? 0) < Date.now() / 1_000 - 5),
  );
  await tells(
    exporter,
    (now) =>
      absent(now).length === 0 &&
      sources.every(
        (source) => (now.value(readAt(source)) ?? 0) > (before.value(readAt(source)) ?? 0) + 12,
      ),
  );
  expect((await Scraped.of(exporter)).sum('kafka_consumergroup_lag')).toBe(4);
  broker?.thaw();
});

test('told to stop while nothing of Kafka answers it ends with 0', async () => {
  await tells(exporter, (now) => absent(now).length === 0);
  for (const broker of own.servers.brokers) broker.freeze();
  await tells(exporter, (now) => absent(now).length > 0);
  expect(await exporter.stop()).toBe(0);
});
