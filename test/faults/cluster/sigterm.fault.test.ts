import { once } from 'node:events';
import { createServer } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../../running-deployment/deployment.ts';
import type { ServiceProcess } from '../../running-deployment/service-process.ts';
import { sharedStack } from '../../stack/index.ts';
import { judgeDeployment } from './judge-deployment.ts';
import { Publisher, someOfEach } from './publisher.ts';

let deployment: Deployment;
let publisher: Publisher;
let consent: string;

beforeAll(async () => {
  // Small batches, so that one is in work whenever the signal comes.
  deployment = await Deployment.open(await sharedStack(), {
    partitions: 4,
    env: { RESIDENCY_WATERMARK_MARGIN_MS: '100', RESIDENCY_MAX_BATCH_RECORDS: '10' },
  });
  publisher = new Publisher(deployment);
  consent = await publisher.grant();
});

afterAll(() => deployment.close(), 60_000);

/** Expects routing to continue: something that was published since is settled. */
async function settling(): Promise<void> {
  await publisher.settledUpTo(
    await publisher.publish(Array.from({ length: 4 }, () => someOfEach(consent)).flat()),
  );
}

async function isFree({ url }: ServiceProcess): Promise<void> {
  const server = createServer().listen({
    port: Number(new URL(url).port),
    host: '127.0.0.1',
    exclusive: true,
  });
  await once(server, 'listening');
  server.close();
}

test('routers that get SIGTERM under load exit with 0 and free their ports; the others continue, and nothing is lost or settled twice', async () => {
  const projector = await deployment.start('consent-projector');
  let routers = await Promise.all([deployment.start('router'), deployment.start('router')]);
  const over = new AbortController();
  const load = (async () => {
    for (; !over.signal.aborted; await sleep(250)) await publisher.publish(someOfEach(consent));
  })();
  await settling();
  for (let round = 0; round < 2; round += 1) {
    const [first, second] = routers;
    if (first === undefined || second === undefined) throw new Error('Expected two routers.');
    expect(await first.stop(), first.output).toBe(0);
    await isFree(first);
    await settling();
    routers = [second, await deployment.start('router')];
  }
  over.abort();
  await load;
  await publisher.settled();
  expect(await Promise.all([...routers, projector].map((service) => service.stop()))).toEqual([
    0, 0, 0,
  ]);
  expect(await judgeDeployment(deployment, publisher.expected)).toEqual([]);
});
