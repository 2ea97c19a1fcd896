import { TOPICS, decodeAuditEvent } from '@residency/contracts';
import type { Measurement } from '../meter.ts';
import { REGIONS } from '../workload.ts';
import { Child } from './child.ts';
import type { FloorOrder } from './orders.ts';
import { cpuBetween, readCpu, residentBytes } from './process-figures.ts';
import type { CpuUse } from './process-figures.ts';
import type { Published, Stand } from './stand.ts';

/**
 * Measured from the first object that reaches a site, alike for routers and floor, so that joining
 * a group does not count.
 */
export interface Run extends Measurement {
  readonly cores: CpuUse['cores'];
}

/**
 * An object was put again, as after a rebalance. Its samples are settled, but the figures would
 * include the repetition.
 */
export class DisturbedRun extends Error {}

/**
 * Runs a number of routers, as the service starts them, until the last audit event; its append time
 * stops the clock.
 */
export async function routersRun(
  stand: Stand,
  published: Published,
  routers: number,
): Promise<Run> {
  const services = await Promise.all(
    Array.from({ length: routers }, () => stand.deployment.launch('router')),
  );
  try {
    return await measured(
      stand,
      published,
      services.map(({ pid }) => pid),
      {
        done: () => stand.settled(services),
        endedAt: () => lastAppended(stand, published),
      },
    );
  } finally {
    await Promise.all(services.map((service) => service.stop()));
  }
}

export async function floorRun(stand: Stand, published: Published): Promise<Run> {
  const { workload, from } = published;
  const order: FloorOrder = {
    workload,
    from: [...from].map(([partition, offset]) => [partition, offset.toString()]),
  };
  const floor = new Child('floor-process.ts', order, stand.deployment.env);
  let ended = 0;
  try {
    return await measured(stand, published, [floor.pid], {
      done: async () => {
        const { doneAt, count } = await floor.said<{
          readonly doneAt: number;
          readonly count: number;
        }>();
        if (count !== workload.count)
          throw new Error(`Expected the floor to read ${workload.count} samples, found ${count}.`);
        ended = doneAt;
      },
      endedAt: () => Promise.resolve(ended),
    });
  } finally {
    await floor.close();
  }
}

interface Work {
  readonly done: () => Promise<void>;
  /** The end, looked up after the run so that it costs the run nothing; milliseconds. */
  readonly endedAt: () => Promise<number>;
}

async function measured(
  stand: Stand,
  { workload }: Published,
  pids: readonly number[],
  { done, endedAt }: Work,
): Promise<Run> {
  const parties = stand.parties(pids);
  const first = stand.s3.firstPut().then((at) => ({ at, cpu: readCpu(parties) }));
  // If the work fails, its error is reported, not this one.
  first.catch(() => undefined);
  await done();
  const end = readCpu(parties);
  const peakBytes = pids.reduce((sum, pid) => sum + residentBytes(pid, 'VmHWM'), 0);
  const { at, cpu } = await first;
  await demandPuts(stand, workload.count * REGIONS[workload.region].sites.length);
  const { seconds, cores } = cpuBetween(cpu, end);
  return {
    seconds: ((await endedAt()) - at) / 1e3,
    cpuSeconds: seconds['measured'] ?? 0,
    peakBytes,
    cores,
  };
}

/** More puts would be repetitions; fewer would be missing objects. */
async function demandPuts(stand: Stand, expected: number): Promise<void> {
  const puts = await stand.s3.puts();
  if (puts !== expected)
    throw new DisturbedRun(`Expected ${expected} objects to reach the sites, found ${puts}.`);
}

async function lastAppended(stand: Stand, { workload, auditFrom }: Published): Promise<number> {
  let [last, stored] = [0, 0];
  for await (const { at, value } of stand.log.read(TOPICS.audit, {
    from: auditFrom,
    until: 'end',
  })) {
    last = Math.max(last, at);
    stored += value !== null && decodeAuditEvent(value).outcome === 'stored' ? 1 : 0;
  }
  if (stored !== workload.count)
    throw new Error(
      `Expected ${workload.count} samples stored, found ${stored}: the figures would not be those of storing.`,
    );
  return last;
}
