import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { ROUTING_PAUSED, ROUTING_RESUMED, controlEntry } from '@residency/contracts';
import type { Deployment } from '../../running-deployment/deployment.ts';
import type { OwnStack, Server } from '../../stack/index.ts';
import { behind } from '../cluster/kcat.ts';
import type { Fleet } from '../cluster/fleet.ts';
import type { SeededRandom } from '../seeded-random.ts';
import { SALT } from '@residency/testkit';

export interface SoakFault {
  readonly name: string;
  /** Causes it and mends it. */
  readonly happen: () => Promise<void>;
}

const IN_SYNC_WITHIN_MS = 600_000;

export function soakFaults({
  stack,
  deployment,
  fleet,
  random,
  outageMs,
}: {
  readonly stack: OwnStack;
  readonly deployment: Deployment;
  readonly fleet: Fleet;
  readonly random: SeededRandom;
  /** How long a server is away or frozen; Redis half as long. */
  readonly outageMs: number;
}): readonly SoakFault[] {
  const { sites, redis, brokers } = stack.servers;
  const control = (type: typeof ROUTING_PAUSED | typeof ROUTING_RESUMED): Promise<unknown> =>
    deployment.log.append([
      controlEntry(
        type === ROUTING_PAUSED ? { type, data: { reason: 'soak' } } : { type, data: {} },
        randomUUID(),
        SALT,
      ),
    ]);
  const seconds = outageMs / 1_000;
  const bounced = async (how: 'kill' | 'stop'): Promise<void> => {
    const broker = random.pick(brokers);
    await broker[how]();
    await broker.start();
    await inSync(stack);
  };
  return [
    { name: 'router killed', happen: () => fleet.bounceRouter(random, 'SIGKILL', 1_000) },
    { name: `zrh-2 away for ${seconds} s`, happen: () => away(sites['zrh-2'], outageMs) },
    { name: 'custodian killed', happen: () => fleet.bounceCustodian('SIGKILL', 1_000) },
    { name: 'projector killed', happen: () => fleet.bounceProjector('SIGKILL', 1_000) },
    { name: 'broker killed', happen: () => bounced('kill') },
    { name: `Redis away for ${seconds / 2} s`, happen: () => away(redis, outageMs / 2) },
    { name: 'router got SIGTERM', happen: () => fleet.bounceRouter(random, 'SIGTERM', 1_000) },
    { name: `mow-1 frozen for ${seconds} s`, happen: () => frozen(sites['mow-1'], outageMs) },
    { name: 'Redis emptied', happen: () => redis.replaceData(new Map()) },
    { name: 'broker stopped', happen: () => bounced('stop') },
    { name: 'projector got SIGTERM', happen: () => fleet.bounceProjector('SIGTERM', 1_000) },
    {
      name: `routing paused for ${seconds} s`,
      happen: async () => {
        await control(ROUTING_PAUSED);
        await sleep(outageMs);
        await control(ROUTING_RESUMED);
      },
    },
    {
      name: `broker frozen for ${seconds} s`,
      happen: () => frozen(random.pick(brokers), outageMs).then(() => inSync(stack)),
    },
  ];
}

async function away(server: Server, ms: number): Promise<void> {
  await server.kill();
  await sleep(ms);
  await server.start();
}

async function frozen(server: Server, ms: number): Promise<void> {
  server.freeze();
  await sleep(ms);
  server.thaw();
}

/** Else the next broker to end could be the last one that has something. */
async function inSync({ kafka }: OwnStack): Promise<void> {
  const until = performance.now() + IN_SYNC_WITHIN_MS;
  while (performance.now() < until && (await behind(kafka.brokers).catch(() => Infinity)) > 0)
    await sleep(500);
}
