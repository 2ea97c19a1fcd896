import { serviceOf } from '@residency/contracts';
import { withSystem } from '../opening/with-system.ts';
import { controlOf } from '../system/control-state.ts';
import type { System } from '../system/system.ts';
import { usage } from '../terminal/cli-error.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import type { Session } from '../terminal/session.ts';
import { copiesIn } from './site-copies.ts';
import { namedSite } from './site-orders.ts';
import type { NamedSite } from './site-orders.ts';
import { orderRepair } from './site-repair.ts';
import type { RepairOptions } from './site-repair.ts';

/**
 * Puts the marker of a lost site into the empty folder or bucket in its place, and orders every copy
 * again. May be repeated: what is there already is checked.
 */
export async function rebuildSite(
  session: Session,
  options: RepairOptions,
  name: string,
): Promise<ExitCode> {
  return await withSystem(session, options, async (system) => {
    const site = await namedSite(system, name);
    await requirePause(system, site);
    await system.initSite(site);
    const { has } = await copiesIn(session, system, site);
    return await orderRepair(session, system, options, site, has);
  });
}

/**
 * The arbiter says which identities are taken. While it lacks objects, a router would create a
 * second one for an identity that is stored.
 */
async function requirePause(system: System, { site, region, isFirst }: NamedSite): Promise<void> {
  const control = await controlOf(system);
  const { arbiter } = serviceOf(control, region);
  const arbitrates = arbiter === undefined ? isFirst : arbiter === site;
  if (!arbitrates || control.mode === 'paused') return;
  throw usage(
    `Expected routing to be paused, because ${site} is the arbiter of ${region} and decides which identities are taken; found it not paused, and nothing was done. \`residency pause --reason TEXT\` first, and \`residency resume\` once the order is closed.`,
  );
}
