import { Life } from './life.ts';
import type { Violation } from './oracle.ts';
import type { Plan } from './plan.ts';
import { hash } from './random.ts';
import type { Narrator } from './surroundings.ts';
import type { Tally } from './tally.ts';
import { real } from './virtual-globals.ts';
import { World } from './world.ts';

export interface Outcome {
  readonly plan: Plan;
  readonly steps: number;
  /** Of every step's time, owner and name, in order. */
  readonly trace: string;
  readonly virtualMs: number;
  readonly violation: (Violation & { readonly step: number }) | undefined;
  readonly faults: Tally;
  readonly outcomes: Tally;
  /** Processes that wait for a person, and why. */
  readonly waiting: ReadonlyMap<string, string>;
}

/**
 * Within so long after the last fault was mended everything must have settled, virtual
 * milliseconds.
 */
export const SETTLES_WITHIN_MS = 300_000;
/** No world needs more; one that does goes round in a circle. */
const MOST_STEPS = 150_000;
/** So long after the last fault a transaction is taken to hang. */
const HANGS_MS = 20_000;
const STEADY_MS = 1_000;

/**
 * Lives one world from its plan: the busy time, then the quiet in which all must settle, then a
 * last look at everything.
 */
export async function runWorld(plan: Plan, narrate: Narrator = () => undefined): Promise<Outcome> {
  const world = new World(plan, narrate);
  const life = new Life(world);
  life.begin();
  let [steps, trace, mended, settledAt] = [0, 0x811c9dc5, false, Infinity];
  let [nextLook, nextUnhang] = [plan.busyMs, plan.busyMs + HANGS_MS];
  while (world.violation === undefined) {
    const { scheduler } = world;
    const pending = scheduler.next();
    if (pending === undefined) break;
    steps += 1;
    trace = hash(`${pending.at}|${pending.owner?.name ?? ''}|${pending.what}`, trace);
    pending.run?.();
    await drained();
    if (steps > MOST_STEPS) {
      world.violated(
        'everything settles',
        `${MOST_STEPS} steps were not enough: the last were ${pending.owner?.name ?? 'the world'}: ${pending.what}`,
      );
      break;
    }
    if (scheduler.now < nextLook) continue;
    if (!mended) life.mend();
    mended = true;
    nextLook = scheduler.now + 250;
    if (life.waiting.size > 0) break;
    life.operate();
    if (scheduler.now > nextUnhang && life.unhang()) nextUnhang = scheduler.now + HANGS_MS;
    if (world.oracle.settled && life.sitesServe) settledAt = Math.min(settledAt, scheduler.now);
    else settledAt = Infinity;
    if (scheduler.now > settledAt + STEADY_MS || scheduler.now > plan.busyMs + SETTLES_WITHIN_MS) {
      world.oracle.quiet();
      break;
    }
  }
  for (const process of world.processes.values()) process.die();
  const { violation, faults, outcomes } = world;
  return {
    plan,
    steps,
    trace: trace.toString(16).padStart(8, '0'),
    virtualMs: world.scheduler.now,
    faults,
    outcomes,
    waiting: life.waiting,
    violation: violation === undefined ? undefined : { ...violation, step: steps },
  };
}

/** Until no promise has anything left to do. */
async function drained(): Promise<void> {
  await new Promise<void>((resolve) => {
    real.setImmediate(resolve);
  });
}
