import type { CommittedShort } from './committed.ts';
import { isQuiet } from './report.ts';
import type { StackPair } from './report.ts';

/** How much a router's CPU a sample may rise against the floor of the same rounds. */
export const MAY_RISE_BY = 0.25;

/** The lowest rounds that count. */
const LOWEST = 3;
const LEAST_ROUNDS = 4;
/** A router that seems too heavy gets that many quiet rounds, of at most so many. */
const QUIET_ROUNDS = 8;
export const MOST_ROUNDS = 24;

export type Verdict = 'passes' | 'too heavy' | 'busy';

/**
 * Times the floor's CPU: the mean of the router's lowest rounds by that of the floor's lowest.
 * Others' load only ever adds to a round's CPU, so the lowest rounds are those that it changed
 * least.
 */
export function lowestRatio(pairs: readonly StackPair[]): number {
  return (
    lowest(pairs.map(({ subject }) => subject.cpuSeconds)) /
    lowest(pairs.map(({ floor }) => floor.cpuSeconds))
  );
}

function lowest(values: readonly number[]): number {
  const few = values.toSorted((a, b) => a - b).slice(0, LOWEST);
  return few.reduce((sum, value) => sum + value, 0) / few.length;
}

/** The highest ratio that passes. */
export function limitOf({ timesFloorCpu }: Pick<CommittedShort, 'timesFloorCpu'>): number {
  return timesFloorCpu * (1 + MAY_RISE_BY);
}

/**
 * `undefined`: more rounds are needed. Busy rounds may show that a router passes, because a quiet
 * machine would only make it lighter. Quiet rounds alone show that it is too heavy: `busy` if the
 * machine never was. A fall passes, however far.
 */
export function verdictOf(
  pairs: readonly StackPair[],
  committed: Pick<CommittedShort, 'timesFloorCpu'>,
): Verdict | undefined {
  if (pairs.length < LEAST_ROUNDS) return undefined;
  const limit = limitOf(committed);
  if (lowestRatio(pairs) <= limit) return 'passes';
  const quiet = pairs.filter((pair) => isQuiet(pair));
  if (quiet.length < QUIET_ROUNDS && pairs.length < MOST_ROUNDS) return undefined;
  if (quiet.length < LOWEST) return 'busy';
  return lowestRatio(quiet) <= limit ? 'passes' : 'too heavy';
}
