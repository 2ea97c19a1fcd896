import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  custodyEventIn,
  SAMPLE_COPIED,
  custodyTopic,
  decodeAuditEvent,
  TOPICS,
} from '@residency/contracts';
import type { CopiedEvent } from '@residency/contracts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Deployment } from '../../running-deployment/deployment.ts';
import type { ServiceProcess } from '../../running-deployment/service-process.ts';
import { openStack, sharedKafka, sharedRedis } from '../../stack/index.ts';
import type { OwnStack } from '../../stack/index.ts';
import { judgeDeployment } from './judge-deployment.ts';
import { Publisher } from './publisher.ts';

const SAMPLES = 60;
const ZURICH = { RESIDENCY_CUSTODIAN_REGION: 'zurich' };

let own: OwnStack;
let deployment: Deployment;
let publisher: Publisher;
let custodians: ServiceProcess[];
let consent: string;
/** Of the custodians that keep a register. */
let folder: string;
let empty: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'residency-custodian-'));
  empty = await mkdtemp(join(tmpdir(), 'residency-custodian-'));
  own = await openStack({ sites: true });
  deployment = await Deployment.open(
    { kafka: await sharedKafka(), sites: own.sites, redis: await sharedRedis() },
    { partitions: 2, env: { RESIDENCY_WATERMARK_MARGIN_MS: '100' } },
  );
  publisher = new Publisher(deployment);
  consent = await publisher.grant();
  const [, , ...others] = await Promise.all([
    deployment.start('consent-projector'),
    deployment.start('router'),
    deployment.start('custodian', ZURICH),
  ]);
  custodians = others;
});

afterAll(async () => {
  await deployment.close();
  await own.close();
  await rm(folder, { recursive: true });
  await rm(empty, { recursive: true });
});

const keeping = (directory: string) => ({ ...ZURICH, RESIDENCY_CUSTODIAN_STATE_DIR: directory });
const inZurich = { country: 'CH', becomes: 'stored zurich' } as const;
const many = (count: number) => Array.from({ length: count }, () => ({ ...inZurich, consent }));

async function owedByEvents(): Promise<number> {
  let owed = 0;
  for await (const { value } of deployment.log.read(TOPICS.audit, { until: 'end' })) {
    const event = decodeAuditEvent(value ?? Buffer.alloc(0));
    if (event.outcome === 'stored') owed += event.data.owed?.length ?? 0;
  }
  return owed;
}

async function custodyEvents(): Promise<readonly CopiedEvent[]> {
  const log = await deployment.log.custodyLog('zurich');
  try {
    const values = await Array.fromAsync(log.read(), ({ value }) => value);
    return values
      .map((value) => custodyEventIn(value))
      .filter((event) => event?.type === SAMPLE_COPIED);
  } finally {
    await log.close();
  }
}

async function metric(service: ServiceProcess, line: RegExp): Promise<number | undefined> {
  const text = await (await fetch(`${service.url}/metrics`)).text();
  const [, value] = line.exec(text) ?? [];
  return value === undefined ? undefined : Number(value);
}

async function until(done: () => Promise<boolean>, what: string): Promise<void> {
  const deadline = performance.now() + 300_000;
  while (!(await done())) {
    if (performance.now() > deadline)
      throw new Error(`${what}: not within 300 s\n${deployment.said()}`);
    await sleep(250);
  }
}

const OWED = /^residency_copies_owed\{site="zrh-2"\} (\d+)$/m;

test('samples flow while a later site is away, and every copy is made when it is back', async () => {
  await publisher.publish(many(5));
  await publisher.settled();
  await own.servers.sites['zrh-2'].kill();
  await publisher.publish(many(SAMPLES));
  await publisher.settled();
  expect(await owedByEvents()).toBe(SAMPLES);
  const [active] = custodians;
  if (active === undefined) throw new Error('no custodian');
  await until(
    async () => (await metric(active, OWED)) === SAMPLES,
    'the custodian counts the debts',
  );
  await own.servers.sites['zrh-2'].start();
  await until(async () => (await metric(active, OWED)) === 0, 'the debts are paid');
  expect(await metric(active, /^residency_copies_total\{site="zrh-2",cause="owed"\} (\d+)$/m)).toBe(
    SAMPLES,
  );
  await publisher.publish(many(5));
  await publisher.settled();
});

test('a custodian that is killed has a successor, and each copy one event', async () => {
  await own.servers.sites['zrh-2'].kill();
  await publisher.publish(many(SAMPLES));
  await publisher.settled();
  const [active] = custodians;
  const successor = await deployment.start('custodian', keeping(folder));
  await own.servers.sites['zrh-2'].start();
  const before = await custodyEventsCount();
  await until(async () => (await custodyEventsCount()) > before, 'it begins to pay');
  active?.signal('SIGKILL');
  await until(async () => (await metric(successor, OWED)) === 0, 'the successor pays the rest');
  await successor.stop();
  const events = await custodyEvents();
  const owed = await owedByEvents();
  expect(new Set(events.map(({ data }) => `${data.of} ${data.copy.site}`)).size).toBe(owed);
  expect(events.map(({ sequence }) => sequence)).toEqual(events.map((_, index) => index));
});

test('a custodian reads what is new since its register was saved; one without reads everything', async () => {
  const takeOver = async (
    directory: string,
    end: 'SIGKILL' | 'SIGTERM' = 'SIGKILL',
  ): Promise<readonly (number | undefined)[]> => {
    const custodian = await deployment.start('custodian', keeping(directory));
    const read = async (log: string): Promise<number | undefined> =>
      await metric(
        custodian,
        new RegExp(`^residency_takeover_records\\{region="zurich",log="${log}"\\} (\\d+)$`, 'm'),
      );
    await until(async () => (await read('audit')) !== undefined, 'it takes over');
    const found = [await read('audit'), await read('custody')];
    // Nothing is saved at the first kind of end.
    await custodian.stop(end);
    return found;
  };
  await publisher.publish(many(5));
  await publisher.settled();
  await takeOver(folder, 'SIGTERM');
  const [audit, custody] = [await auditCount(), await custodyEventsCount()];
  const register = await readFile(join(folder, 'register-zurich'), 'latin1');
  expect(register).toMatch(/"topics":\{"audit":"[\w-]{22}","custody":"[\w-]{22}"\}/);
  expect(await takeOver(folder)).toEqual([0, 0]);
  await publisher.publish(many(5));
  await publisher.settled();
  expect(await takeOver(folder)).toEqual([5, 0]);
  expect(await takeOver(empty)).toEqual([audit + 5, custody]);
});

async function auditCount(): Promise<number> {
  return (await Array.fromAsync(deployment.log.read(TOPICS.audit, { until: 'end' }))).length;
}

/** By a reader: opening the log would fence the custodian. */
async function custodyEventsCount(): Promise<number> {
  const topic = custodyTopic('zurich');
  return (await Array.fromAsync(deployment.log.read(topic, { until: 'end' }))).length;
}

test('after all each record has one outcome, and the sites agree with the logs', async () => {
  expect(await judgeDeployment(deployment, publisher.expected)).toEqual([]);
});
