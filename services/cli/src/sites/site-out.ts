import { randomUUID } from 'node:crypto';
import { ARBITER_KEPT, SITE_OUT } from '@residency/contracts';
import { withSystem } from '../opening/with-system.ts';
import { record } from '../system/control.ts';
import type { System } from '../system/system.ts';
import { CliError, usage } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import type { Session } from '../terminal/session.ts';
import { changeEnded, outOfArbiter } from './arbiter-out.ts';
import type { ArbiterOut } from './arbiter-out.ts';
import { changing, placeOf, said } from './site-place.ts';
import type { Place } from './site-place.ts';

type Out = Common & { readonly reason?: string; readonly acceptLoss?: true; readonly abort?: true };

/**
 * Takes a site out of service. If it is the region's arbiter, another site becomes the arbiter:
 * nothing of the region is placed meanwhile (docs/decisions/0041).
 */
export async function takeSiteOut(session: Session, options: Out, site: string): Promise<ExitCode> {
  const { reason, abort } = options;
  if (abort !== true && reason === undefined)
    throw usage(
      'Expected --reason TEXT, found none; nothing was changed. Say why the site is taken out.',
    );
  return await withSystem(session, options, async (system) => {
    const place = await placeOf(session, system, site);
    const { closing } = place.service;
    if (abort === true) return await abortChange(session, options, system, { place, site });
    const out = { site, reason: reason ?? '' };
    if (closing !== undefined && closing.site !== site) throw changing(place.region, closing.site);
    if (!place.serving.includes(site))
      return await said(
        session,
        options,
        place,
        `${site} is out of service already; nothing was changed.`,
      );
    const next = closing?.next ?? place.serving[1];
    if (next === undefined)
      throw new CliError({
        code: 'LAST_SITE',
        remedy: 'stop',
        message: `Expected another site of ${place.region} in service, found that ${site} is the only one; nothing was changed. Take another one in first: residency site in.`,
      });
    if (place.serving[0] !== site) return await laterSiteOut(session, options, system, place, out);
    return await outOfArbiter(session, options, system, { place, next, ...out });
  });
}

async function laterSiteOut(
  session: Session,
  options: Common,
  system: System,
  { region }: Place,
  { site, reason }: { readonly site: string; readonly reason: string },
): Promise<ExitCode> {
  await record(session, system, {
    type: SITE_OUT,
    data: { act: randomUUID(), region, site, reason },
  });
  const after = await placeOf(session, system, site);
  // Somebody made it the arbiter meanwhile.
  if (after.serving.includes(site)) throw changing(region, site);
  return await said(
    session,
    options,
    after,
    `${site} is out of service. Samples of ${region} are stored without it, and nothing is asked of it, until \`residency site in ${site}\`.`,
  );
}

async function abortChange(
  session: Session,
  options: Common,
  system: System,
  { place: { region, service }, site }: Pick<ArbiterOut, 'place' | 'site'>,
): Promise<ExitCode> {
  const { closing } = service;
  if (closing?.site !== site)
    throw new CliError({
      code: 'NOTHING_TO_ABORT',
      remedy: 'stop',
      message: `Expected a change of the arbiter of ${region} away from ${site} that has not ended, found ${closing === undefined ? 'none' : `one away from ${closing.site}`}; nothing was changed.`,
    });
  await record(session, system, {
    type: ARBITER_KEPT,
    data: { act: closing.act, region, reason: 'aborted by a person' },
  });
  const after = await placeOf(session, system, site);
  if (after.serving[0] !== site || after.service.closing !== undefined) throw changeEnded(region);
  return await said(
    session,
    options,
    after,
    `The change is aborted. ${site} is the arbiter of ${region} as before, and samples wait for it if it does not answer.`,
  );
}
