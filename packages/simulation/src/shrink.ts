import type { Happening, Plan } from './plan.ts';
import { runWorld } from './run-world.ts';

/** Lives a plan without some of its happenings: whether the same promise breaks. */
type Breaks = (plan: Plan) => Promise<boolean>;

/** At most so many worlds are lived for it. */
const MOST_TRIES = 600;

/**
 * The shortest plan found that breaks the same promise: fewer happenings, fewer processes, an
 * earlier end. Each process and each service draws its chance from a source of its own, so what is
 * left out changes little of what remains.
 */
export async function shrink(plan: Plan, invariant: string): Promise<Plan> {
  let tries = 0;
  const breaks: Breaks = async (candidate) => {
    tries += 1;
    return tries <= MOST_TRIES && (await runWorld(candidate)).violation?.invariant === invariant;
  };
  let best = plan;
  for (let before = -1; before !== best.happenings.length;) {
    before = best.happenings.length;
    best = await fewer(best, breaks);
    best = await simpler(best, breaks);
  }
  return best;
}

/**
 * Halves, quarters and so on are left out, as long as what is left still breaks it (Zeller's
 * ddmin).
 */
async function fewer(plan: Plan, breaks: Breaks): Promise<Plan> {
  let best = plan;
  for (
    let size = Math.ceil(best.happenings.length / 2);
    size >= 1;
    size = size === 1 ? 0 : Math.ceil(size / 2)
  ) {
    for (let from = 0; from < best.happenings.length;) {
      const without: Happening[] = [
        ...best.happenings.slice(0, from),
        ...best.happenings.slice(from + size),
      ];
      const candidate = { ...best, happenings: without };
      if (await breaks(candidate)) best = candidate;
      else from += size;
    }
  }
  return best;
}

async function simpler(plan: Plan, breaks: Breaks): Promise<Plan> {
  let best = plan;
  const last = Math.max(100, ...best.happenings.map(({ at }) => at));
  const changes: readonly Partial<Plan>[] = [
    { routers: 1 },
    { routers: 2 },
    { projectors: 1 },
    { custodians: 1 },
    { clocks: [0, 0, 0] },
    { busyMs: last + 50 },
    { busyMs: last + 2_000 },
  ];
  for (const change of changes) {
    if (
      Object.entries(change).every(
        ([name, value]) => JSON.stringify(Reflect.get(best, name)) === JSON.stringify(value),
      )
    )
      continue;
    if (
      (change.routers ?? 0) > best.routers ||
      (change.custodians ?? 0) > (best.custodians ?? 0) ||
      (change.busyMs ?? 0) > best.busyMs
    )
      continue;
    const candidate = { ...best, ...change };
    if (await breaks(candidate)) best = candidate;
  }
  return best;
}
