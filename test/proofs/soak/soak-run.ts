import { setTimeout as sleep } from 'node:timers/promises';
import { Deployment } from '../../running-deployment/deployment.ts';
import type { ServiceName, ServiceProcess } from '../../running-deployment/service-process.ts';
import { openStack } from '../../stack/index.ts';
import { ClusterTraffic } from '../cluster/cluster-traffic.ts';
import { addVerdict } from '../cluster/cluster-verdict.ts';
import { Disturber } from '../cluster/disturber.ts';
import { Fleet, PAID_WITHIN_MS } from '../cluster/fleet.ts';
import { Progress } from '../cluster/progress.ts';
import { Publisher } from '../cluster/publisher.ts';
import { ClusterTally } from '../cluster/tally.ts';
import { SeededRandom } from '../seeded-random.ts';
import { trafficConsents } from '../traffic.ts';
import { ObservedServices } from './observed-services.ts';
import type { Measurement } from './observed-services.ts';
import { soakFaults } from './soak-faults.ts';

export interface SoakOptions {
  readonly seed: number;
  readonly minutes: number;
  /** Submissions a second. */
  readonly rate: number;
  readonly everyMs: number;
  readonly outageMs: number;
  /** It ends after so many faults, however early; absent: after its minutes. */
  readonly faults?: number;
  readonly longRunning: boolean;
  readonly note: (line: string) => void;
}

export interface SoakResult {
  readonly tally: ClusterTally;
  readonly faults: ReadonlyMap<string, number>;
  readonly courses: readonly {
    readonly service: ServiceName;
    readonly course: readonly Measurement[];
  }[];
}

const AFTER_CONSENT_MS = 2_000;
const SETTLED_WITHIN_MS = 10 * 60_000;
/**
 * They live through the whole run; a second router and a second projector are what ends and starts.
 */
const STEADY: readonly ServiceName[] = [
  'router',
  'consent-projector',
  'auditor',
  'intake',
  'reconciler',
  'exporter',
];

/**
 * Steady traffic, a fault at every so many milliseconds, and what the services that live through
 * all of it hold meanwhile.
 */
export async function soakRun({
  seed,
  minutes,
  rate,
  everyMs,
  outageMs,
  faults: most = Infinity,
  longRunning,
  note,
}: SoakOptions): Promise<SoakResult> {
  const stack = await openStack({ brokers: 3, sites: true, redis: true, longRunning });
  try {
    const deployment = await Deployment.open(stack, {
      partitions: 4,
      replication: 3,
      env: { RESIDENCY_RECONCILER_PAUSE_MS: '30000' },
    });
    try {
      const total = Math.ceil(minutes * 60 * rate) + 2 * rate;
      const [random, traffic, fleet, tally] = [
        new SeededRandom(seed),
        new ClusterTraffic(seed, total),
        new Fleet(deployment),
        new ClusterTally(),
      ];
      await deployment.log.append(trafficConsents());
      const steady: ServiceProcess[] = [];
      for (const name of STEADY)
        steady.push(
          await deployment.start(
            name,
            name === 'intake' ? { RESIDENCY_HTTP_HOST: '127.0.0.1' } : {},
          ),
        );
      await fleet.open(1);
      await sleep(AFTER_CONSENT_MS);
      const [startedAt, over] = [performance.now(), new AbortController()];
      const progress = new Progress(deployment.log, () => fleet.watch());
      const publisher = new Publisher(deployment.log, traffic, {
        ahead: Infinity,
        settled: () => progress.settled,
        due: () => Math.floor(((performance.now() - startedAt) / 1_000) * rate),
        signal: over.signal,
      });
      const observed = new ObservedServices(steady);
      const faults = new Map<string, number>();
      try {
        const all = soakFaults({ stack, deployment, fleet, random, outageMs });
        const end = startedAt + minutes * 60_000;
        for (let next = 0; next < most && performance.now() < end; next += 1) {
          const fault = all[next % all.length];
          const due = startedAt + (next + 1) * everyMs;
          if (fault === undefined || due > end) break;
          await sleep(Math.max(0, due - performance.now()));
          note(`${progress.settled} settled of ${publisher.acknowledged}; ${fault.name}`);
          await fault.happen();
          faults.set(fault.name, (faults.get(fault.name) ?? 0) + 1);
        }
        if (most === Infinity) await sleep(Math.max(0, end - performance.now()));
      } finally {
        over.abort();
        await publisher.done;
        await observed.close();
        if (!(await progress.untilNothingWaits(AbortSignal.timeout(SETTLED_WITHIN_MS))))
          tally.find(seed, `not everything was settled: ${await fleet.describe()}`);
        await progress.close();
      }
      for (const service of steady) {
        if (!service.running)
          tally.find(
            seed,
            `${service.name} did not live through it:\n${service.output.slice(-2_000)}`,
          );
        else if ((await service.stop()) !== 0)
          tally.find(
            seed,
            `${service.name} got SIGTERM and did not exit with 0:\n${service.output.slice(-2_000)}`,
          );
      }
      if (!(await fleet.untilPaid(AbortSignal.timeout(PAID_WITHIN_MS))))
        tally.find(seed, `copies are still owed:\n${await fleet.describe()}`);
      await fleet.close();
      tally.addRun({
        seconds: (performance.now() - startedAt) / 1_000,
        published: publisher,
        fleet,
        disturber: new Disturber({ stack, deployment, fleet, random }),
      });
      await addVerdict(
        { seed, stack, deployment, traffic, fleet, note, published: publisher.acknowledged },
        tally,
      );
      return {
        tally,
        faults,
        courses: steady.map((service) => ({
          service: service.name,
          course: observed.courses.get(service) ?? [],
        })),
      };
    } finally {
      await deployment.close();
    }
  } finally {
    await stack.close();
  }
}
