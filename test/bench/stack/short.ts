import { figure, median, table } from '../report.ts';
import type { Workload } from '../workload.ts';
import type { CommittedShort } from './committed.ts';
import { isQuiet } from './report.ts';
import type { StackPair } from './report.ts';
import { evenIfDisturbed, floorRead, openFloor, settledRun } from './runs.ts';
import type { Run } from './runs.ts';
import type { Published, Stand } from './stand.ts';
import { MOST_ROUNDS, limitOf, lowestRatio } from './verdict.ts';

const ROUNDS_TO_COMMIT = 8;

export interface ShortPlan {
  readonly workload: Workload;
  readonly routerEnv: Readonly<Record<string, string>>;
  /** Whether these rounds are enough. */
  readonly enough: (pairs: readonly StackPair[]) => boolean;
}

/**
 * One router and one floor for all rounds, warm from a round that does not count. A round's samples
 * go to the router, and then to the floor while the router has nothing to do.
 */
export async function measureShort(
  stand: Stand,
  { workload, routerEnv, enough }: ShortPlan,
  said: (line: string) => void,
): Promise<readonly StackPair[]> {
  const router = await stand.deployment.launch('router', routerEnv);
  const floor = openFloor(stand, workload);
  const pairs: StackPair[] = [];
  try {
    await router.ready();
    for (let round = 0; !enough(pairs); round += 1) {
      const publishing = Promise.withResolvers<Published>();
      const running = settledRun(stand, workload, [router], async () => {
        const published = await stand.publish(workload);
        publishing.resolve(published);
        return published;
      });
      // A repetition only adds CPU, and the lowest rounds count.
      const subject = await evenIfDisturbed(running);
      const pair: StackPair = {
        subject,
        floor: await floorRead(stand, await publishing.promise, floor),
      };
      said(
        `${round === 0 ? 'warming' : `round ${round}`}: router ${micros(pair.subject.cpuSeconds, workload)} CPU µs a sample, floor ${micros(pair.floor.cpuSeconds, workload)}, ${(pair.subject.cpuSeconds / pair.floor.cpuSeconds).toFixed(2)} times; got ${pair.subject.share.toFixed(2)} and ${pair.floor.share.toFixed(2)} of a core`,
      );
      if (round > 0) pairs.push(pair);
    }
  } finally {
    await floor.close();
    await router.stop();
  }
  return pairs;
}

function micros(seconds: number, { count }: Workload): number {
  return Math.round((seconds * 1e6) / count);
}

/** Throws if the machine is too busy for a figure that others are judged by. */
export function areEnoughToCommit(pairs: readonly StackPair[]): boolean {
  if (pairs.filter((pair) => isQuiet(pair)).length >= ROUNDS_TO_COMMIT) return true;
  if (pairs.length >= MOST_ROUNDS)
    throw new Error(
      `Expected ${ROUNDS_TO_COMMIT} quiet rounds, found fewer among ${MOST_ROUNDS}; run this again when nothing else runs.`,
    );
  return false;
}

export function tooHeavyText(found: number, committed: CommittedShort): string {
  return `Expected a router to use at most ${limitOf(committed).toFixed(2)} times the floor's CPU a sample, 25 % above the ${committed.timesFloorCpu} of commit ${committed.commit}, found ${found.toFixed(2)}. Compare the steps that npm run bench:stack prints with those before the change. If the work is worth it, renew the figure: npm run bench:short -- --commit-table`;
}

export function shortTable(
  { count }: Workload,
  pairs: readonly StackPair[],
  committed: CommittedShort,
): string {
  const { timesFloorCpu, date, commit, machine } = committed;
  const middle = (run: (pair: StackPair) => Run): string =>
    figure((median(pairs.map((pair) => run(pair).cpuSeconds)) * 1e6) / count);
  return table(
    [
      'rounds',
      'of them busy',
      'samples a round',
      'CPU µs a sample',
      'floor CPU µs a sample',
      "lowest rounds: times the floor's CPU",
      'committed',
      'highest that passes',
    ],
    [
      [
        String(pairs.length),
        String(pairs.filter((pair) => !isQuiet(pair)).length),
        String(count),
        middle(({ subject }) => subject),
        middle(({ floor }) => floor),
        lowestRatio(pairs).toFixed(2),
        `${timesFloorCpu.toFixed(2)}, ${date}, ${commit}, ${machine}`,
        limitOf(committed).toFixed(2),
      ],
    ],
  );
}
