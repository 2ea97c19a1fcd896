import { spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { TOPICS } from '@residency/contracts';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import { Deployment } from '../../../test/running-deployment/deployment.ts';
import type { ServiceProcess } from '../../../test/running-deployment/service-process.ts';
import { sharedStack } from '../../../test/stack/index.ts';
import { inProcess } from './in-process.ts';
import type { Row } from './residency.ts';

const BIN = fileURLToPath(new URL('../bin/residency.js', import.meta.url));
const SAMPLES = 40;

interface World {
  readonly deployment: Deployment;
  readonly projector: ServiceProcess;
  readonly intake: ServiceProcess;
  router: ServiceProcess;
}
let world: World;

beforeAll(async () => {
  const deployment = await Deployment.open(await sharedStack());
  const [projector, intake, router] = [
    await deployment.start('consent-projector'),
    await deployment.start('intake'),
    await deployment.start('router'),
  ];
  world = { deployment, projector, intake, router };
  await nameServices();
  await mkdir(join(deployment.folder, 'samples'));
  for (let sample = 1; sample <= SAMPLES; sample += 1)
    await writeFile(join(deployment.folder, 'samples', String(sample)), `sample ${sample}`);
  await json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 'canary-subject');
  await sleep(2_000);
});
afterAll(() => world.deployment.close());

/** For `status`: in the place of what an earlier call named. */
async function nameServices(): Promise<void> {
  const { deployment, projector, intake, router } = world;
  await nameIn(
    join(deployment.folder, 'residency.env'),
    [router, projector, intake].map(({ url }) => url).join(', '),
  );
}

async function nameIn(file: string, urls: string): Promise<void> {
  const others = (await readFile(file, 'utf8'))
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('RESIDENCY_METRICS_URLS='));
  await writeFile(file, [...others, `RESIDENCY_METRICS_URLS=${urls}`, ''].join('\n'));
}

async function json(code: number, ...args: readonly string[]): Promise<readonly Row[]> {
  const ended = await world.deployment.residency(...args, '--json');
  if (ended.code !== code)
    throw new Error(
      `Expected exit code ${code}, found ${ended.code}: ${ended.stdout}${ended.stderr}`,
    );
  return ended.stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line): Row => JSON.parse(line));
}

/** One screen, and what it ended with. */
async function screen(): Promise<{ readonly code: number | null; readonly stdout: string }> {
  const { code, stdout, stderr } = await world.deployment.residency('status');
  expect(stderr).toBe('');
  expect(stdout.split('\n').filter((line) => line.length > 100)).toEqual([]);
  const { env } = world.deployment;
  for (const secret of [
    'canary-subject',
    ...Object.entries(env)
      .filter(([name]) => name.endsWith('SECRET_ACCESS_KEY'))
      .map(([, value]) => value),
  ])
    expect(stdout).not.toContain(secret);
  return { code, stdout };
}

async function publish(what = 'samples/1'): Promise<void> {
  await json(
    0,
    'publish',
    what,
    '--country',
    'CH',
    '--consent',
    'consent-0001',
    '--source',
    `urn:test:${randomUUID()}`,
  );
}

const unsettled = async (): Promise<number> =>
  [...(await world.deployment.log.lag()).values()].reduce((sum, lag) => sum + Number(lag), 0);
const nothingWaits = async (): Promise<void> => {
  await expect.poll(unsettled, { interval: 250 }).toBe(0);
};
const routerWaits = async (): Promise<string> =>
  await world.router.readiness().then(
    ({ checks }) => checks.map(({ detail }) => detail ?? '').join(),
    () => '',
  );

it("a pause holds routing across the router's restart, status says so, and a resume lets it go on", async () => {
  await publish();
  await nothingWaits();
  expect(await screen()).toEqual({ code: 0, stdout: expect.stringContaining('Nothing waits.') });

  await json(0, 'pause', '--reason', 'zrh-1 is moved to other disks');
  await publish();
  await expect.poll(routerWaits).toContain('waits: ROUTING_PAUSED');
  expect(await world.router.stop()).toBe(0);
  world.router = await world.deployment.launch('router');
  await nameServices();
  await expect.poll(routerWaits).toContain('waits: ROUTING_PAUSED');
  await sleep(5_000);
  expect(await unsettled()).toBe(1);
  const { code, stdout } = await screen();
  const text = stdout.replaceAll(/\s+/g, ' ');
  expect(code).toBe(1);
  for (const said of [
    'Nothing is settled: 1 record waits for',
    '! control: paused since',
    'once the reason is gone: residency resume.',
    `! service ${new URL(world.router.url).host}: not ready: routing waits: ROUTING_PAUSED`,
    'control paused, since',
    ': zrh-1 is moved to other disks',
    'unsettled 1',
  ])
    expect(text).toContain(said);
  const drain = await world.deployment.residency('drain', '--reason', 'x');
  expect([drain.code, drain.stderr]).toEqual([
    2,
    expect.stringContaining('`residency resume` first'),
  ]);

  await json(0, 'resume');
  await nothingWaits();
  await world.router.ready();
});

it('a running router follows its log level, and goes back to what is configured', async () => {
  const debugLines = (): number =>
    world.router.output.split('\n').filter((line) => line.includes('"level":"debug"')).length;
  // The group's rebalancing is worth lines of Kafka's client, and of nobody else in normal
  // operation.
  const rebalance = async (): Promise<void> => {
    const other = await world.deployment.start('router');
    await publish();
    await nothingWaits();
    expect(await other.stop()).toBe(0);
  };
  await rebalance();
  expect(debugLines()).toBe(0);
  expect(await json(0, 'log-level', 'debug', '--service', 'router')).toEqual([
    { service: 'router', level: 'debug', logLevels: { router: 'debug' } },
  ]);
  await sleep(1_000);
  await rebalance();
  await expect.poll(debugLines).toBeGreaterThan(0);
  expect((await screen()).stdout).toContain('log levels router=debug');
  await publish();
  await nothingWaits();
  await json(0, 'log-level', 'default', '--service', 'router');
  await sleep(1_000);
  const before = debugLines();
  await rebalance();
  expect(debugLines()).toBe(before);
});

it('a drain refuses submissions at the intake and ends once all is settled; without a router it says what waits', async () => {
  await publish('samples');
  const drained = await world.deployment.residency(
    'drain',
    '--reason',
    'Kafka is upgraded',
    '--timeout',
    '90',
  );
  expect([drained.code, drained.stdout]).toEqual([
    0,
    expect.stringContaining('Drained: nothing waits.'),
  ]);
  expect(await unsettled()).toBe(0);
  const event = {
    'content-type': 'text/plain',
    'ce-specversion': '1.0',
    'ce-id': '1',
    'ce-source': 'urn:test',
    'ce-type': 'threat.sample.submitted.v1',
    'ce-usercountry': 'CH',
    'ce-consentid': 'consent-0001',
    'ce-verdict': 'suspicious',
  };
  const submit = async (): Promise<number> =>
    (
      await fetch(`${world.intake.url}/events`, {
        method: 'POST',
        headers: event,
        body: 'sample',
      })
    ).status;
  expect(await submit()).toBe(503);
  const { code, stdout } = await screen();
  expect([code, stdout]).toEqual([
    1,
    expect.stringContaining('The intake refuses submissions: draining.'),
  ]);

  expect(await world.router.stop()).toBe(0);
  const refused = await world.deployment.residency(
    'publish',
    'samples/1',
    '--country',
    'CH',
    '--consent',
    'consent-0001',
    '--source',
    'urn:test:late',
  );
  expect([refused.code, refused.stderr]).toEqual([3, expect.stringContaining('DRAINING')]);
  // Another client, to Kafka directly: nobody stops that.
  await world.deployment.log.append([
    { topic: TOPICS.samples, record: { key: null, headers: [], value: Buffer.from('no event') } },
  ]);
  const late = await world.deployment.residency('drain', '--reason', 'again', '--timeout', '3');
  expect([late.code, late.stdout]).toEqual([
    1,
    expect.stringContaining('Not drained in time: 1 record is not settled, in 1 partition'),
  ]);
  const silent = await screen();
  expect([silent.code, silent.stdout.replaceAll(/\s+/g, ' ')]).toEqual([
    1,
    expect.stringContaining(
      `! service ${new URL(world.router.url).host}: Expected a service at its address, found no answer`,
    ),
  ]);
  world.router = await world.deployment.start('router');
  await nameServices();
  await json(0, 'resume');
  await nothingWaits();
  await expect.poll(submit).toBe(202);
});

it('status that watches tells stages, sites and outcomes under load, until it is interrupted', async () => {
  const child = spawn(process.execPath, [BIN, 'status', '--watch', '--config', 'residency.env'], {
    cwd: world.deployment.folder,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  const rows = [
    /^outcomes +stored zurich [\d.]+\/s/m,
    /^store +[\d.]+\/s +[\d.]+ m?s +[\d.]+ m?s +\d+ +[\d.]+ s ago$/m,
    /^zrh-1 +[\d.]+\/s +0\/s +[\d.]+ m?s +[\d.]+ m?s$/m,
    /^router +\S+ +yes/m,
    /Samples flow: [\d.]+\/s are settled|Nothing waits; [\d.]+\/s are settled/,
  ];
  const blocks = (): string[] => out.split(/\n\n(?=\d{4}-)/);
  await expect
    .poll(async () => {
      await publish('samples');
      return blocks().length > 1 && blocks().some((block) => rows.every((row) => row.test(block)));
    })
    .toBe(true);
  const closed = once(child, 'close') as Promise<[number | null]>;
  child.kill('SIGINT');
  expect((await closed)[0]).toBe(0);
  expect(out).not.toContain('\u001b');
});

it('what can not be reached is a line, and only all of it an end', async () => {
  const { deployment, intake } = world;
  const away = Object.entries({
    ...deployment.env,
    RESIDENCY_KAFKA_BROKERS: '127.0.0.1:1',
    RESIDENCY_REDIS_URL: 'redis://127.0.0.1:1',
    RESIDENCY_METRICS_URLS: 'http://127.0.0.1:1',
  })
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
  await writeFile(join(deployment.folder, 'away.env'), away);
  const status = (...args: readonly string[]): ReturnType<typeof inProcess> =>
    inProcess(['status', ...args], { env: process.env, cwd: deployment.folder });
  const none = await status('--config', 'away.env');
  expect([none.code, none.out]).toEqual([
    3,
    expect.stringMatching(
      /Nothing could be asked[^]*KAFKA_UNREACHABLE|Nothing could be asked[^]*NO_ANSWER/,
    ),
  ]);
  expect(none.out).toContain('SERVICE_UNREACHABLE');
  await nameIn(join(deployment.folder, 'away.env'), intake.url);
  const some = await status('--config', 'away.env');
  expect([some.code, some.out]).toEqual([
    1,
    expect.stringMatching(/intake log can\s+not\s+be\s+read[^]*intake +\S+ +yes/),
  ]);
  const one = await status('--url', intake.url);
  expect([one.code, one.out]).toEqual([
    0,
    expect.stringMatching(/^\S+ {2}http[^\n]*\nReady;[^]*intake +\S+ +yes/),
  ]);
});
