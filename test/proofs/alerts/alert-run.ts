import { defined } from '@residency/defined';
import type { AlertFault } from './alert-faults.ts';
import type { Expected, Firing } from './alert-watch.ts';
import { AlertWorld } from './alert-world.ts';
import { causesShown, readRunbook, run } from './runbooks.ts';

/**
 * The result for one alert of one fault. Seconds from the fault, and from the repair; absent: it
 * did not happen.
 */
export interface AlertRow {
  readonly fault: string;
  readonly alert: string;
  readonly fired?: number;
  readonly cleared?: number;
  /** Why the run did not wait for it to clear. */
  readonly notWaited?: string;
  /** The runbook's cause that had to be found; absent: none. */
  readonly sought?: string;
  /** The causes that the runbook's commands showed. */
  readonly found: readonly string[];
}

export interface AlertPlan {
  readonly faults: readonly AlertFault[];
  /** Caused first, repaired last, `calmAfter` faults of the others. */
  readonly slow: readonly AlertFault[];
  /**
   * How many of `faults` are over before the slow ones begin: the slow ones need what those stop.
   */
  readonly slowAfter: number;
  readonly last?: AlertFault;
  /** The time before the first fault in which no alert may fire. */
  readonly calmMs: number;
  readonly longRunning: boolean;
  /** Between two submissions. */
  readonly everyMs: number;
  readonly note: (line: string) => void;
}

export interface AlertResult {
  readonly rows: readonly AlertRow[];
  /** Alerts that fired before the first fault. */
  readonly calm: readonly string[];
  /** The output of runbooks' commands that did not show the expected cause. */
  readonly printed: readonly string[];
}

interface Begun {
  readonly fault: AlertFault;
  readonly causedAt: number;
  mendedAt?: number;
  readonly found: Map<string, readonly string[]>;
}

/**
 * Causes each fault under a real Prometheus, waits for its alerts, runs their runbooks, and repairs
 * it.
 */
export async function alertRun({
  faults,
  slow,
  slowAfter,
  last,
  calmMs,
  longRunning,
  everyMs,
  note,
}: AlertPlan): Promise<AlertResult> {
  const world = await AlertWorld.open({ longRunning, everyMs });
  const printed: string[] = [];
  try {
    await world.watch.until(() => false, calmMs);
    const calm = world.watch.firings.map(({ labels }) => JSON.stringify(labels));
    note(`calm: ${calm.length} alerts`);
    const begun: Begun[] = [];
    const slowOnes: Begun[] = [];
    for (const [index, fault] of faults.entries()) {
      if (index === slowAfter) for (const one of slow) slowOnes.push(await cause(world, one, note));
      begun.push(await whole(world, fault, printed, note));
      for (const one of slowOnes)
        if (one.mendedAt === undefined && fired(world, one))
          await finish(world, one, printed, note);
    }
    for (const one of slowOnes)
      if (one.mendedAt === undefined) await finish(world, one, printed, note);
    const all = [...begun, ...slowOnes];
    for (const one of all)
      await world.watch.until(
        () => firingsOf(world, one).every((firing) => firing?.to !== undefined),
        remaining(one),
      );
    if (last !== undefined) all.push(await whole(world, last, printed, note));
    return { rows: all.flatMap((one) => rowsOf(world, one)), calm, printed };
  } finally {
    await world.close();
  }
}

async function whole(
  world: AlertWorld,
  fault: AlertFault,
  printed: string[],
  note: AlertPlan['note'],
): Promise<Begun> {
  const begun = await cause(world, fault, note);
  await finish(world, begun, printed, note);
  return begun;
}

async function cause(
  world: AlertWorld,
  fault: AlertFault,
  note: AlertPlan['note'],
): Promise<Begun> {
  note(`causing: ${fault.name}`);
  const begun: Begun = { fault, causedAt: performance.now(), found: new Map() };
  await fault.cause(world);
  return begun;
}

function fired(world: AlertWorld, { fault: { alerts }, causedAt }: Begun): boolean {
  return alerts.every(({ alert }) => world.watch.find(alert, causedAt) !== undefined);
}

/** Waits for its alerts, runs their runbooks, and repairs it. */
async function finish(
  world: AlertWorld,
  begun: Begun,
  printed: string[],
  note: AlertPlan['note'],
): Promise<void> {
  const { fault, causedAt, found } = begun;
  await world.watch.until(
    () => fired(world, begun),
    Math.max(0, fault.fireWithinMs - (performance.now() - causedAt)),
  );
  for (const {
    alert: { alertname, job },
    finds,
  } of fault.alerts) {
    if (finds === undefined) continue;
    const shell = world.shell(job);
    const shown = await causesShown(alertname, shell);
    found.set(alertname, [...shown.keys()]);
    if (shown.has(finds)) continue;
    const sought = (await readRunbook(alertname)).find(({ id }) => id === finds);
    printed.push(
      `${fault.name}, ${alertname}, cause ${finds}: ${sought === undefined ? 'the page has no such cause' : `expected ${sought.shows} in what its command prints:\n${await run(sought.command, shell)}`}`,
    );
  }
  note(
    `${fault.name}: ${fault.alerts.map(({ alert }) => `${alert.alertname} ${world.watch.find(alert, causedAt) === undefined ? 'DID NOT FIRE' : 'fired'}, found ${(found.get(alert.alertname) ?? []).join(' ')}`).join('; ')}`,
  );
  await fault.mend?.(world);
  begun.mendedAt = performance.now();
  await world.watch.until(
    () =>
      (fault.afterwards ?? []).every((alert) => world.watch.find(alert, causedAt) !== undefined),
    fault.afterwards === undefined ? 0 : 3 * 60_000,
  );
}

function firingsOf(world: AlertWorld, { fault, causedAt }: Begun): readonly (Firing | undefined)[] {
  return fault.clearWithinMs === 0
    ? []
    : [...fault.alerts.map(({ alert }) => alert), ...(fault.afterwards ?? [])].map((alert) =>
        world.watch.find(alert, causedAt),
      );
}

function remaining({ fault, mendedAt }: Begun): number {
  return mendedAt === undefined
    ? 0
    : Math.max(0, mendedAt + fault.clearWithinMs - performance.now());
}

function rowsOf(
  world: AlertWorld,
  { fault, causedAt, mendedAt, found }: Begun,
): readonly AlertRow[] {
  const row = (expected: Expected, from: number, sought?: string): AlertRow => {
    const firing = world.watch.find(expected, causedAt);
    const { alertname, ...labels } = expected;
    return {
      fault: fault.name,
      alert: [alertname, ...Object.values(labels)].join(' '),
      found: found.get(alertname) ?? [],
      ...defined({ sought }),
      ...(firing === undefined ? {} : { fired: Math.max(0, firing.from - from) / 1_000 }),
      ...(firing?.to === undefined || mendedAt === undefined
        ? {}
        : { cleared: Math.max(0, firing.to - mendedAt) / 1_000 }),
      ...defined({ notWaited: fault.notWaited }),
    };
  };
  return [
    ...fault.alerts.map(({ alert, finds }) => row(alert, causedAt, finds)),
    ...(fault.afterwards ?? []).map((alert) => row(alert, mendedAt ?? causedAt)),
  ];
}

/**
 * The alerts that did not fire or clear, or whose runbook did not find the cause, each as a
 * sentence.
 */
export function failuresOf({ rows, calm, printed }: AlertResult): readonly string[] {
  return [
    ...calm.map((labels) => `fired before anything was caused: ${labels}`),
    ...rows.flatMap(({ fault, alert, fired: seconds, cleared, notWaited }) => [
      ...(seconds === undefined ? [`${fault}: ${alert} did not fire`] : []),
      ...(seconds !== undefined && cleared === undefined && notWaited === undefined
        ? [`${fault}: ${alert} did not clear`]
        : []),
    ]),
    ...printed,
  ];
}
