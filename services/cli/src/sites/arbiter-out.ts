import { randomUUID } from 'node:crypto';
import { ARBITER_CLOSING, serviceOf } from '@residency/contracts';
import { changeArbiter } from '@residency/custodianship';
import { record } from '../system/control.ts';
import { controlOf } from '../system/control-state.ts';
import type { System } from '../system/system.ts';
import { CliError } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import type { Session } from '../terminal/session.ts';
import { grouped } from '../terminal/table.ts';
import { claimsOf } from './claims-of.ts';
import { changing, placeOf, said } from './site-place.ts';
import type { Place } from './site-place.ts';

/** The change of a region's arbiter from `site` to `next`. */
export interface ArbiterOut {
  readonly place: Place;
  readonly site: string;
  readonly next: string;
  readonly reason: string;
}

/** Makes `next` the arbiter, or ends the change. */
export async function outOfArbiter(
  session: Session,
  options: Common & { readonly acceptLoss?: true },
  system: System,
  change: ArbiterOut,
): Promise<ExitCode> {
  const {
    place: { region, serving },
    site,
    next,
  } = change;
  const others = serving.filter((one) => one !== site && one !== next);
  const act = await openChange(session, system, change);
  const found = await ending(session, system, change, () =>
    changeArbiter(
      { act, region, next, acceptLoss: options.acceptLoss === true },
      {
        append: async (event) => {
          await record(session, system, event);
        },
        fence: () => system.fenceRouters(),
        findClaims: () => claimsOf(session, system, region, [next, ...others]),
        newId: randomUUID,
      },
    ),
  );
  if (found?.changed === false) throw wouldLose(change, found.unheld);
  const after = await placeOf(session, system, site);
  if (after.serving[0] !== next) throw changeEnded(region);
  const lost =
    (found?.unheld ?? 0) > 0
      ? ` ${grouped(found?.unheld ?? 0)} stored samples have no copy in a site in service; nobody else gets their identities.`
      : '';
  return await said(
    session,
    options,
    after,
    `${site} is out of service, and ${next} arbitrates in ${region}. Samples flow again.${lost}`,
    found === undefined
      ? {}
      : {
          claims: found.claims.length,
          unheld: found.unheld,
          auditRecordsRead: found.auditRecords,
        },
  );
}

/** Returns the act of the open change: this one, or that of a command that did not end. */
async function openChange(session: Session, system: System, change: ArbiterOut): Promise<string> {
  const {
    place: { region, service },
    site,
    next,
    reason,
  } = change;
  if (service.closing !== undefined) return service.closing.act;
  const act = randomUUID();
  await ending(session, system, change, () =>
    record(session, system, {
      type: ARBITER_CLOSING,
      data: { act, region, site, next, reason },
    }),
  );
  const { closing } = serviceOf(await controlOf(system), region);
  if (closing?.act !== act) throw changing(region, closing?.site ?? site);
  return act;
}

/**
 * Does a step of the change. If it fails, the control log says whether it was done all the same, and
 * whether the change is still open. `undefined`: the change is in force.
 */
async function ending<T>(
  session: Session,
  system: System,
  { site, next }: ArbiterOut,
  step: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await step();
  } catch (error) {
    const after = await placeOf(session, system, site).catch(() => undefined);
    if (after?.serving[0] === next) return undefined;
    if (after === undefined || after.service.closing !== undefined)
      session.output.note(
        `The change of the arbiter may still be open, and samples of its region wait then. Run the command again, or \`residency site out ${site} --abort\`.`,
      );
    throw error;
  }
}

/** Somebody ended the change otherwise. */
export function changeEnded(region: string): CliError {
  return new CliError({
    code: 'CHANGE_ENDED',
    remedy: 'retry',
    message: `Expected the change of the arbiter of ${region} to end as this command asked, found that somebody ended it otherwise. See \`residency audit list --control\` and \`residency status\`, then decide anew.`,
  });
}

function wouldLose({ site, next, place: { region } }: ArbiterOut, unheld: number): CliError {
  return new CliError({
    code: 'WOULD_LOSE',
    remedy: 'stop',
    message: `Expected a copy of every stored sample of ${region} in a site other than ${site}, found ${grouped(unheld)} without one; ${site} is still the arbiter. If it can come back, wait for it. If not, repeat this with --accept-loss: ${next} becomes the arbiter, the samples stay recorded as stored, and their identities are given to nobody else.`,
  });
}
