import { setTimeout as sleep } from 'node:timers/promises';
import { Deployment } from '../../running-deployment/deployment.ts';
import { openStack } from '../../stack/index.ts';
import { ClusterTraffic } from '../cluster/cluster-traffic.ts';
import { addVerdict } from '../cluster/cluster-verdict.ts';
import { Disturber } from '../cluster/disturber.ts';
import { Fleet } from '../cluster/fleet.ts';
import { Progress } from '../cluster/progress.ts';
import { Publisher } from '../cluster/publisher.ts';
import { ClusterTally } from '../cluster/tally.ts';
import { SeededRandom } from '../seeded-random.ts';
import { trafficConsents } from '../traffic.ts';
import { FlowWatch } from '../cluster/flow-watch.ts';
import type { Standstill } from '../cluster/flow-watch.ts';

export interface SigtermOptions {
  readonly seed: number;
  /** How often a router gets SIGTERM. */
  readonly times: number;
  readonly routers: number;
  readonly partitions: number;
  /** Most records of a batch: what a router has in hand at SIGTERM. */
  readonly batch: number;
  readonly submissions: number;
  /** Records that wait at any time: the routers never wait for one. */
  readonly waiting: number;
  /** The length of the measurement without a signal, for comparison. */
  readonly undisturbedMs: number;
  readonly longRunning: boolean;
  readonly note: (line: string) => void;
}

export interface SigtermResult {
  readonly tally: ClusterTally;
  /** From the signal to the process's end. */
  readonly endedMs: readonly number[];
  /** From each signal until all partitions moved again. */
  readonly left: readonly Standstill[];
  /** From the next router's start until all partitions moved again. */
  readonly joined: readonly Standstill[];
  /** The same figures, measured without a signal. */
  readonly undisturbed: Standstill;
}

const AFTER_CONSENT_MS = 2_000;
const BETWEEN_MS = 1_000;
const ALL_MOVE_WITHIN_MS = 600_000;

/**
 * Sends SIGTERM to one router after the other while all have a backlog, starts another
 * one each time, then judges everything.
 */
export async function sigtermRun({
  seed,
  times,
  routers,
  partitions,
  batch,
  submissions,
  waiting,
  undisturbedMs,
  longRunning,
  note,
}: SigtermOptions): Promise<SigtermResult> {
  const stack = await openStack({ brokers: 1, sites: true, redis: true, longRunning });
  try {
    const deployment = await Deployment.open(stack, {
      partitions,
      env: { RESIDENCY_MAX_BATCH_RECORDS: String(batch) },
    });
    try {
      const [random, traffic, fleet, tally] = [
        new SeededRandom(seed),
        new ClusterTraffic(seed, submissions),
        new Fleet(deployment),
        new ClusterTally(),
      ];
      await deployment.log.append(trafficConsents());
      await fleet.open(routers);
      await sleep(AFTER_CONSENT_MS);
      const progress = new Progress(deployment.log, () => fleet.watch());
      const over = new AbortController();
      let published = 0;
      const publisher = new Publisher(deployment.log, traffic, {
        ahead: waiting,
        settled: () => progress.settled,
        due: () => submissions,
        signal: over.signal,
      });
      const flow = new FlowWatch(deployment.log);
      const [endedMs, left, joined]: [number[], Standstill[], Standstill[]] = [[], [], []];
      let undisturbed: Standstill = { flowMs: NaN, partitionMs: NaN };
      const startedAt = performance.now();
      try {
        await progress.until(waiting, AbortSignal.timeout(ALL_MOVE_WITHIN_MS));
        flow.begin();
        await sleep(undisturbedMs);
        undisturbed = flow.standstill;
        for (let time = 1; time <= times; time += 1) {
          const found = await once(fleet, flow, random);
          endedMs.push(found.endedMs);
          left.push(found.left);
          joined.push(found.joined);
          note(
            `${time} of ${times}: ended after ${Math.round(found.endedMs)} ms; flow stood still ${Math.round(found.left.flowMs)} ms, at the join ${Math.round(found.joined.flowMs)} ms; ${progress.settled} settled, ${publisher.acknowledged} published`,
          );
        }
      } finally {
        over.abort();
        published = publisher.acknowledged;
        await publisher.done;
        await flow.close();
        await progress.untilNothingWaits(AbortSignal.timeout(10 * 60_000));
        await progress.close();
      }
      await fleet.close();
      if (published >= submissions)
        tally.find(
          seed,
          'all was published before the last signal: the load was not full, give more submissions',
        );
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
      return { tally, endedMs, left, joined, undisturbed };
    } finally {
      await deployment.close();
    }
  } finally {
    await stack.close();
  }
}

async function once(
  fleet: Fleet,
  flow: FlowWatch,
  random: SeededRandom,
): Promise<{ readonly endedMs: number; readonly left: Standstill; readonly joined: Standstill }> {
  flow.begin();
  const since = performance.now();
  await fleet.removeRouter(random);
  const endedMs = performance.now() - since;
  await flow.untilAllMove(AbortSignal.timeout(ALL_MOVE_WITHIN_MS));
  const left = flow.standstill;
  flow.begin();
  await fleet.addRouter();
  await flow.untilAllMove(AbortSignal.timeout(ALL_MOVE_WITHIN_MS));
  const joined = flow.standstill;
  await sleep(BETWEEN_MS);
  return { endedMs, left, joined };
}
