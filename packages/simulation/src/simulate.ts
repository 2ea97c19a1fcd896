import { readJson } from '@residency/residency';
import { FAULTS, POLICY_CHANGES, drawPlan } from './plan.ts';
import type { FaultKind, Plan, PlanOptions, PolicyChange } from './plan.ts';
import { Random } from './random.ts';
import { runWorld } from './run-world.ts';
import type { Outcome } from './run-world.ts';
import { shrink } from './shrink.ts';
import { story } from './story.ts';
import { Tally } from './tally.ts';
import { installVirtualGlobals, real } from './virtual-globals.ts';

export interface SimulateOptions {
  readonly seed: number;
  /** Worlds are lived one after the other, of seeds in a row, until together they took so many. */
  readonly steps: number;
  /** Names of faults and of policy changes; absent: all that are supposed to do no harm. */
  readonly faults?: readonly string[] | undefined;
  readonly policies?: readonly string[] | undefined;
  /** See `PlanOptions`. */
  readonly siteOut?: boolean;
  readonly erase?: boolean;
  /** Go on after a world that broke a promise. */
  readonly goOn?: boolean;
  readonly print: (line: string) => void;
}

export interface Result {
  readonly steps: number;
  readonly worlds: number;
  readonly milliseconds: number;
  readonly faults: readonly (readonly [string, number])[];
  readonly outcomes: readonly (readonly [string, number])[];
  /** Of all worlds, in order. */
  readonly trace: string;
  readonly violated: readonly {
    readonly seed: number;
    readonly step: number;
    readonly invariant: string;
    readonly found: string;
  }[];
}

/** Lives worlds until so many steps were taken, or one breaks a promise. */
export async function simulate({
  seed,
  steps,
  goOn = false,
  print,
  ...names
}: SimulateOptions): Promise<Result> {
  installVirtualGlobals();
  const options = optionsOf(names);
  const [faults, outcomes, violated, traces] = [
    new Tally(),
    new Tally(),
    [] as Result['violated'][number][],
    [] as string[],
  ];
  let [done, worlds] = [0, 0];
  const since = real.now();
  for (let at = seed; done < steps; at += 1) {
    const outcome = await runWorld(planOf(at, options));
    done += outcome.steps;
    worlds += 1;
    faults.add(outcome.faults);
    outcomes.add(outcome.outcomes);
    traces.push(outcome.trace);
    if (outcome.violation === undefined) continue;
    const { invariant, found } = outcome.violation;
    violated.push({ seed: at, step: done, invariant, found });
    print(`seed ${at}: ${invariant}: ${found}`);
    if (!goOn) break;
  }
  return {
    steps: done,
    worlds,
    milliseconds: real.now() - since,
    faults: faults.entries(),
    outcomes: outcomes.entries(),
    trace: traces.join(''),
    violated,
  };
}

/**
 * One seed's world as a story; one that breaks a promise is first made as short as possible, and
 * told with what keeps it as a test.
 */
export async function printSeedStory({
  seed,
  print,
  whole,
  ...names
}: Omit<SimulateOptions, 'steps' | 'goOn'> & { readonly whole: boolean }): Promise<Outcome> {
  installVirtualGlobals();
  return await printStory(planOf(seed, optionsOf(names)), whole, print);
}

/** A kept plan's world, from the text that a story printed. */
export async function printPlanStory(
  text: string,
  whole: boolean,
  print: (line: string) => void,
): Promise<Outcome> {
  installVirtualGlobals();
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as `story` prints it
  return await printStory(readJson(text) as Plan, whole, print);
}

async function printStory(
  plan: Plan,
  whole: boolean,
  print: (line: string) => void,
): Promise<Outcome> {
  const first = await runWorld(plan);
  const shortest =
    first.violation === undefined || whole ? plan : await shrink(plan, first.violation.invariant);
  return await story(shortest, print);
}

/** Faults against which the stores and logs cannot help themselves: they are asked for by name. */
export const NOT_BY_DEFAULT: ReadonlySet<string> = new Set([
  'log-cut',
  'topic-remade',
  'markers-lost',
]);

function optionsOf({
  faults,
  policies,
  siteOut = false,
  erase = false,
}: Pick<SimulateOptions, 'faults' | 'policies' | 'siteOut' | 'erase'>): PlanOptions {
  return {
    siteOut,
    erase,
    faults: chosen(Object.keys(FAULTS), faults).filter((name): name is FaultKind =>
      Object.hasOwn(FAULTS, name),
    ),
    policies: chosen(POLICY_CHANGES, policies).filter((name): name is PolicyChange =>
      POLICY_CHANGES.some((known) => known === name),
    ),
  };
}

function chosen(all: readonly string[], named: readonly string[] | undefined): readonly string[] {
  if (named === undefined) return all.filter((name) => !NOT_BY_DEFAULT.has(name));
  const unknown = named.filter((name) => !all.includes(name));
  if (unknown.length > 0)
    throw new RangeError(`Expected some of ${all.join(', ')}, found ${unknown.join(', ')}.`);
  return named;
}

function planOf(seed: number, options: PlanOptions): Plan {
  return drawPlan(String(seed), new Random(`plan/${seed}`), options);
}
