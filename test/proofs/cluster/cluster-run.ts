import { setTimeout as sleep } from 'node:timers/promises';
import { Deployment } from '../../running-deployment/deployment.ts';
import { openStack } from '../../stack/index.ts';
import type { OwnStack } from '../../stack/index.ts';
import { SeededRandom } from '../seeded-random.ts';
import { trafficConsents } from '../traffic.ts';
import { ClusterTraffic } from './cluster-traffic.ts';
import { addVerdict } from './cluster-verdict.ts';
import { script } from './disturbances.ts';
import type { ScriptOptions } from './disturbances.ts';
import { Disturber } from './disturber.ts';
import { Fleet, PAID_WITHIN_MS } from './fleet.ts';
import { Progress } from './progress.ts';
import { Publisher } from './publisher.ts';
import { Schedule } from './schedule.ts';
import type { ClusterTally } from './tally.ts';

export interface ClusterOptions extends ScriptOptions {
  readonly seed: number;
  readonly submissions: number;
  readonly routers: number;
  readonly partitions: number;
  /** The most records that the publisher may be ahead of the routers. */
  readonly ahead: number;
  /** The time limit for publishing, disturbing and settling everything. */
  readonly withinMs: number;
  readonly longRunning: boolean;
  readonly note: (line: string) => void;
}

// The documentation asks publishers to wait two seconds between a consent and the first sample
// under it.
const AFTER_CONSENT_MS = 2_000;
const LONGEST_PAUSE_MS = 2_000;

/**
 * One run on servers of its own: seeded traffic, disturbances one after the other, everything
 * settled, then judged into `tally`.
 */
export async function clusterRun(options: ClusterOptions, tally: ClusterTally): Promise<void> {
  const stack = await openStack({
    brokers: 3,
    sites: true,
    redis: true,
    longRunning: options.longRunning,
  });
  try {
    const deployment = await Deployment.open(stack, {
      partitions: options.partitions,
      replication: 3,
      env: { RESIDENCY_SESSION_TIMEOUT_MS: '25000' },
    });
    try {
      await runOn(stack, deployment, options, tally);
    } finally {
      await deployment.close();
    }
  } finally {
    await stack.close();
  }
}

async function runOn(
  stack: OwnStack,
  deployment: Deployment,
  options: ClusterOptions,
  tally: ClusterTally,
): Promise<void> {
  const { seed, note } = options;
  const random = new SeededRandom(seed);
  const traffic = new ClusterTraffic(seed, options.submissions);
  const fleet = new Fleet(deployment);
  const disturber = new Disturber({ stack, deployment, fleet, random });
  await deployment.log.append(trafficConsents());
  await fleet.open(options.routers);
  await sleep(AFTER_CONSENT_MS);
  note('servers and services are up');
  const startedAt = performance.now();
  const over = new AbortController();
  const limit = setTimeout(() => {
    over.abort();
  }, options.withinMs);
  const progress = new Progress(deployment.log, () => fleet.watch());
  const schedule = new Schedule(script(random, options), options.submissions);
  const publisher = new Publisher(deployment.log, traffic, {
    ahead: options.ahead,
    settled: () => progress.settled,
    due: () => schedule.due,
    signal: over.signal,
  });
  try {
    await disturbAll(schedule, { disturber, random, progress, signal: over.signal, note });
    await publisher.done;
    note('everything is published');
    if (!(await progress.untilNothingWaits(over.signal))) {
      tally.other += 1;
      tally.find(
        seed,
        `not everything was settled in time; settled ${progress.settled} of ${publisher.acknowledged} and more:\n${await fleet.describe()}`,
      );
    }
  } finally {
    over.abort();
    clearTimeout(limit);
    await progress.close();
    await publisher.done;
  }
  const seconds = (performance.now() - startedAt) / 1_000;
  note('everything is settled');
  if (!(await fleet.untilPaid(AbortSignal.timeout(PAID_WITHIN_MS))))
    tally.find(seed, `copies are still owed:\n${await fleet.describe()}`);
  await fleet.close();
  tally.addRun({ seconds, published: publisher, fleet, disturber });
  await addVerdict({ seed, stack, deployment, traffic, fleet, note }, tally);
}

interface Disturbing {
  readonly disturber: Disturber;
  readonly random: SeededRandom;
  readonly progress: Progress;
  readonly signal: AbortSignal;
  readonly note: (line: string) => void;
}

/** One at a time. */
async function disturbAll(
  schedule: Schedule,
  { disturber, random, progress, signal, note }: Disturbing,
): Promise<void> {
  for (const { disturbance, at } of schedule.steps()) {
    await progress.until(at, signal);
    await sleep(random.below(LONGEST_PAUSE_MS));
    if (signal.aborted) return;
    note(`${progress.settled} settled; ${JSON.stringify(disturbance)}`);
    await disturber.disturb(disturbance);
    note(`${progress.settled} settled; done`);
  }
}
