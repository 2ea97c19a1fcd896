import { TOPICS } from '@residency/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../../running-deployment/deployment.ts';
import type { ServiceProcess } from '../../running-deployment/service-process.ts';
import { sharedStack } from '../../stack/index.ts';
import { judgeDeployment, reconcileOpening } from './judge-deployment.ts';
import { deleteGroup, deleteRecords } from './kafka-request.ts';
import { Publisher, someOfEach } from './publisher.ts';

let deployment: Deployment;
let publisher: Publisher;
let router: ServiceProcess;
let consent: string;

beforeAll(async () => {
  deployment = await Deployment.open(await sharedStack(), {
    env: { RESIDENCY_WATERMARK_MARGIN_MS: '100' },
  });
  publisher = new Publisher(deployment);
  consent = await publisher.grant();
  [, router] = await Promise.all([
    deployment.start('consent-projector'),
    deployment.start('router'),
  ]);
});

afterAll(() => deployment.close(), 60_000);

async function settleSome(): Promise<void> {
  for (let batch = 0; batch < 3; batch += 1) {
    await publisher.publish(someOfEach(consent));
    await publisher.settled();
  }
}

test("if the group's positions are deleted while no router runs, the next router continues from the audit log", async () => {
  await settleSome();
  expect(await router.stop()).toBe(0);
  await deleteGroup(deployment.kafka.brokers, `${deployment.kafka.topicPrefix}residency-router`);
  expect([...(await deployment.log.committed())]).toEqual([]);
  await publisher.publish(someOfEach(consent));
  router = await deployment.start('router');
  await publisher.settled();
  expect(await judgeDeployment(deployment, publisher.expected)).toEqual([]);
});

test('if the intake log loses records that were never settled, the next router reports it, stops and settles nothing', async () => {
  expect(await router.stop()).toBe(0);
  const before = await deployment.log.ends(TOPICS.audit);
  const [lost] = await publisher.publish(someOfEach(consent));
  if (lost === undefined) throw new Error('Expected a position.');
  await deleteRecords(
    deployment.kafka.brokers,
    `${deployment.kafka.topicPrefix}${TOPICS.samples}`,
    lost.partition,
    lost.offset + 1n,
  );
  router = await deployment.launch('router');
  expect(await router.exited()).toBe(1);
  expect(router.output).toMatch(
    new RegExp(
      `PROGRESS_LOST.*Expected the intake log to hold offset ${lost.offset} of partition ${lost.partition}`,
    ),
  );
  expect((await deployment.log.ends(TOPICS.audit)).get(lost.partition)).toBe(
    before.get(lost.partition),
  );
  expect(await reconcileOpening(deployment)).toEqual([]);
});
