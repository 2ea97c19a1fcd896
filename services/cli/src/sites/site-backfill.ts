import { policyInForce } from '@residency/residency';
import { withSystem } from '../opening/with-system.ts';
import type { System } from '../system/system.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import type { Session } from '../terminal/session.ts';
import { copiesIn } from './site-copies.ts';
import { namedSite } from './site-orders.ts';
import type { NamedSite } from './site-orders.ts';
import { waitForCopies } from './wait-for-copies.ts';

type Backfill = Common & { readonly wait?: true };

/**
 * Says how many samples of its region a site has and how many it is owed. The custodian fills a site
 * by itself from the moment that a policy version with it is in force, so this orders nothing.
 */
export async function backfillSite(
  session: Session,
  options: Backfill,
  name: string,
): Promise<ExitCode> {
  return await withSystem(session, options, async (system) => {
    const site = await namedSite(system, name);
    const inForce = await isInForce(session, system, site);
    const copies =
      options.wait === true && inForce
        ? await waitForCopies(session, `Copies in ${name}`, async () => {
            const found = await copiesIn(session, system, site);
            const { has: done, owed } = found;
            return { done, total: done + owed, ...(owed === 0 ? { ended: found } : {}) };
          })
        : await copiesIn(session, system, site);
    const { has, owed } = copies;
    if (options.json)
      await session.output.json({ site: name, region: site.region, has, owed, inForce });
    else
      await session.output.line(
        `${name} has ${has} of the ${has + owed} stored samples of ${site.region}; ${owed} are owed.${inForce ? '' : ' No policy version with this site is in force, so nothing is copied to it.'}`,
      );
    return owed === 0 ? EXIT.done : EXIT.found;
  });
}

async function isInForce({ now }: Session, system: System, { site }: NamedSite): Promise<boolean> {
  const version = policyInForce(await system.policies(), now());
  return version?.document.regions.some(({ sites }) => sites.includes(site)) ?? false;
}
