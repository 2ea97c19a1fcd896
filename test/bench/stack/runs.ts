import type { Offsets } from '@residency/adapter-kafka';
import { TOPICS, decodeAuditEvent } from '@residency/contracts';
import type { ServiceProcess } from '../../running-deployment/service-process.ts';
import type { Measurement } from '../meter.ts';
import { REGIONS } from '../workload.ts';
import type { Workload } from '../workload.ts';
import { Child } from './child.ts';
import type { FloorOrder } from './orders.ts';
import { publishForPeer } from './peer-topic.ts';
import { Peer } from './peer.ts';
import { cpuBetween, readCpu, subjectOf } from './process-figures.ts';
import type { CpuUse, Subject } from './process-figures.ts';
import type { Published, Stand } from './stand.ts';

/**
 * Measured from the first object that reaches a site, alike for routers and floor, so that joining
 * a group does not count.
 */
export interface Run extends Measurement {
  readonly cores: CpuUse['cores'];
  readonly share: CpuUse['share'];
}

/**
 * An object was put again, as after a rebalance. Its samples are settled, but the figures would
 * include the repetition.
 */
export class DisturbedRun extends Error {
  readonly run: Run;

  constructor(message: string, run: Run) {
    super(message);
    this.run = run;
  }
}

/** For figures to which a repetition does no harm. */
export async function evenIfDisturbed(running: Promise<Run>): Promise<Run> {
  try {
    return await running;
  } catch (error) {
    if (error instanceof DisturbedRun) return error.run;
    throw error;
  }
}

/**
 * Runs a number of routers, as the service starts them, until the last audit event; its append time
 * stops the clock.
 */
export async function routersRun(
  stand: Stand,
  published: Published,
  { routers, env }: { readonly routers: number; readonly env: Readonly<Record<string, string>> },
): Promise<Run> {
  const services = await Promise.all(
    Array.from({ length: routers }, () => stand.deployment.launch('router', env)),
  );
  try {
    return await settledRun(stand, published.workload, services, () => Promise.resolve(published));
  } finally {
    await Promise.all(services.map((service) => service.stop()));
  }
}

/** The same by routers that are already there, and may settle samples as soon as they are published. */
export async function settledRun(
  stand: Stand,
  workload: Workload,
  routers: readonly ServiceProcess[],
  publish: () => Promise<Published>,
): Promise<Run> {
  let auditFrom: Offsets = new Map();
  return await measured(stand, workload, subjectOf(routers.map(({ pid }) => pid)), {
    done: async () => {
      ({ auditFrom } = await publish());
      await stand.settled(routers);
    },
    endedAt: () => lastAppended(stand, { workload, auditFrom }),
  });
}

export async function floorRun(stand: Stand, published: Published): Promise<Run> {
  const floor = openFloor(stand, published.workload);
  try {
    return await floorRead(stand, published, floor);
  } finally {
    await floor.close();
  }
}

export function openFloor(stand: Stand, workload: Workload): Child {
  return new Child('floor-process.ts', workload, stand.deployment.env);
}

/** The same by a floor that is already there. */
export async function floorRead(
  stand: Stand,
  { workload, from }: Published,
  floor: Child,
): Promise<Run> {
  let ended = 0;
  floor.send({
    from: [...from].map(([partition, offset]) => [partition, offset.toString()]),
  } satisfies FloorOrder);
  return await measured(stand, workload, subjectOf([floor.pid]), {
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
}

/** A command of the user's on the same samples, in a topic of its own. */
export async function peerRun(
  stand: Stand,
  { workload, first }: Published,
  command: string,
): Promise<Run> {
  const topic = await publishForPeer(stand, { workload, first, partitions: 'all' });
  const peer = new Peer(command, {
    RESIDENCY_BENCH_BROKERS: stand.deployment.kafka.brokers.join(','),
    RESIDENCY_BENCH_TOPIC: topic,
    RESIDENCY_BENCH_GROUP: `${topic}.peer`,
    RESIDENCY_BENCH_COUNT: String(workload.count),
    ...stand.sitesFor(workload),
  });
  try {
    return await measured(stand, workload, peer, {
      done: () => peer.done(),
      endedAt: () => Promise.resolve(peer.endedAt),
    });
  } finally {
    await peer.close();
  }
}

interface Work {
  readonly done: () => Promise<void>;
  /** The end, looked up after the run so that it costs the run nothing; milliseconds. */
  readonly endedAt: () => Promise<number>;
}

async function measured(
  stand: Stand,
  workload: Workload,
  subject: Subject,
  { done, endedAt }: Work,
): Promise<Run> {
  const beside = stand.beside();
  const first = stand.s3.firstPut().then((at) => ({ at, cpu: readCpu(subject, beside) }));
  // If the work fails, its error is reported, not this one.
  first.catch(() => undefined);
  await done();
  const end = readCpu(subject, beside);
  const peakBytes = subject.peakBytes();
  const puts = await stand.s3.puts();
  const { at = Number.NaN, cpu } = await first;
  const run = {
    ...cpuBetween(cpu, end),
    seconds: ((await endedAt()) - at) / 1e3,
    peakBytes,
  };
  demandPuts(puts, workload.count * REGIONS[workload.region].sites.length, run);
  return run;
}

/** Fewer puts are missing objects. */
function demandPuts(found: number, expected: number, run: Run): void {
  const message = `Expected ${expected} objects to reach the sites, found ${found}.`;
  if (found < expected) throw new Error(message);
  if (found > expected) throw new DisturbedRun(message, run);
}

async function lastAppended(
  stand: Stand,
  { workload, auditFrom }: Pick<Published, 'workload' | 'auditFrom'>,
): Promise<number> {
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
