import { randomUUID } from 'node:crypto';
import { remedyOf } from '@residency/coded-error';
import {
  ARBITER_CLOSING,
  ARBITER_KEPT,
  SITE_IN,
  SITE_OUT,
  SITE_REPAIR_ORDERED,
  objectMetadataIn,
  serviceOf,
  sitesInService,
  submissionOfKey,
} from '@residency/contracts';
import type { ControlEvent, RegionService } from '@residency/contracts';
import { KeySet, changeArbiter, findClaims, storedObjects } from '@residency/custodianship';
import type { FoundClaims } from '@residency/custodianship';
import { policyInForce } from '@residency/residency';
import { withSystem } from '../opening/with-system.ts';
import { controlEvent, record } from '../system/control.ts';
import { controlOf } from '../system/control-state.ts';
import type { System } from '../system/system.ts';
import { CliError, usage } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import { EXIT } from '../terminal/exit-code.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { interruptible } from '../terminal/interruptible.ts';
import { printable } from '../terminal/output.ts';
import type { Session } from '../terminal/session.ts';
import { grouped } from '../terminal/table.ts';

type Out = Common & { readonly reason?: string; readonly acceptLoss?: true; readonly abort?: true };

/** A site's region, and which sites of it serve now. */
interface Place {
  readonly region: string;
  readonly service: RegionService;
  /** The arbiter first. */
  readonly serving: readonly string[];
}

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

/**
 * Takes a site into service again, as a later site, and orders that every copy in it is checked. What
 * it holds must belong to stored samples: any other object could be taken for an owner's.
 */
export async function takeSiteIn(
  session: Session,
  options: Common,
  site: string,
): Promise<ExitCode> {
  return await withSystem(session, options, async (system) => {
    const place = await placeOf(session, system, site);
    const { region, service, serving } = place;
    if (serving.includes(site))
      return await said(
        session,
        options,
        place,
        `${site} is in service already; nothing was changed.`,
      );
    if (service.closing !== undefined) throw changing(region, service.closing.site);
    const strangers = await strangersIn(session, system, site, region);
    if (strangers.length > 0) throw hasStrangers(site, strangers);
    const act = randomUUID();
    const events: readonly ControlEvent[] = [
      { type: SITE_IN, data: { act, region, site } },
      { type: SITE_REPAIR_ORDERED, data: { act, region, site } },
    ];
    await system.append(events.map((event) => controlEvent(session, event)));
    return await said(
      session,
      options,
      await placeOf(session, system, site),
      `${site} is in service again, as a later site. The custodian of ${region} checks every copy in it and makes what it lacks; \`residency site repairs\` shows how far it is.`,
    );
  });
}

/** Objects in the site that are of no stored sample of the region. Throws if it is another's site. */
async function strangersIn(
  session: Session,
  system: System,
  site: string,
  region: string,
): Promise<readonly string[]> {
  const reader = await system.verifiedReader(site, region);
  const trail = system.trail(() => [region]);
  const stored = await storedObjects(region, interruptible(session, trail.events()));
  const strangers: string[] = [];
  for await (const { key, foreign } of interruptible(session, reader.list())) {
    const submission = foreign ? undefined : submissionOfKey(key);
    if (submission === undefined) continue;
    const found = await reader.read(key);
    if (found !== undefined && !stored.has(submission, objectMetadataIn(found.metadata)))
      strangers.push(key);
  }
  return strangers;
}

function hasStrangers(site: string, strangers: readonly string[]): CliError {
  const some = strangers.slice(0, 3).join(', ');
  return new CliError({
    code: 'SITE_HAS_STRANGERS',
    remedy: 'stop',
    message: `Expected ${site} to hold objects of stored samples alone, found ${grouped(strangers.length)} others (${some}${strangers.length > 3 ? ', ...' : ''}); nothing was changed. They were written before it went out and decide nothing any more: move them away, or give the site an empty bucket (residency site rebuild ${site}), then repeat this.`,
  });
}

/** A site counts also if no policy names it and an order made it the arbiter: it can be taken out. */
async function placeOf(session: Session, system: System, site: string): Promise<Place> {
  const inForce = policyInForce(await system.policies(), session.now());
  const control = await controlOf(system);
  const regions = inForce?.document.regions ?? [];
  const found = regions.find(
    ({ id, sites }) => sites.includes(site) || serviceOf(control, id).arbiter === site,
  );
  if (found === undefined)
    throw usage(
      `Expected a site that the policy in force names (${regions.flatMap(({ sites }) => sites).join(', ')}), found ${printable(site)}; nothing was changed. Name one of them.`,
    );
  const service = serviceOf(control, found.id);
  return { region: found.id, service, serving: sitesInService(service, found.sites) };
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
  { place: { region, service }, site }: Pick<Change, 'place' | 'site'>,
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
  if (after.serving[0] !== site || after.service.closing !== undefined) throw ended(region);
  return await said(
    session,
    options,
    after,
    `The change is aborted. ${site} is the arbiter of ${region} as before, and samples wait for it if it does not answer.`,
  );
}

interface Change {
  readonly place: Place;
  readonly site: string;
  readonly next: string;
  readonly reason: string;
}

async function outOfArbiter(
  session: Session,
  options: Out,
  system: System,
  change: Change,
): Promise<ExitCode> {
  const {
    place: { region },
    site,
    next,
  } = change;
  const act = await openChange(session, system, change);
  const found = await ending(session, system, change, () =>
    changeArbiter(
      { act, region, next, acceptLoss: options.acceptLoss === true },
      {
        append: async (event) => {
          await record(session, system, event);
        },
        fence: () => system.fenceRouters(),
        findClaims: () => claimsOf(session, system, change),
        newId: randomUUID,
      },
    ),
  );
  if (found?.changed === false) throw wouldLose(change, found.unheld);
  const after = await placeOf(session, system, site);
  if (after.serving[0] !== next) throw ended(region);
  const lost =
    (found?.unheld ?? 0) > 0
      ? ` ${grouped(found?.unheld ?? 0)} stored samples have no copy in a site in service; nobody else gets their identities.`
      : '';
  return await said(
    session,
    options,
    after,
    `${site} is out of service, and ${next} arbitrates in ${region}. Samples flow again.${lost}`,
    found,
  );
}

/** Returns the act of the open change: this one, or that of a command that did not end. */
async function openChange(session: Session, system: System, change: Change): Promise<string> {
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
  { site, next }: Change,
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

async function claimsOf(
  session: Session,
  system: System,
  { place: { region, serving }, site, next }: Change,
): Promise<FoundClaims> {
  const sites = [next, ...serving.filter((one) => one !== site && one !== next)];
  const listed = new Map<string, KeySet>();
  for (const one of sites) {
    const keys = new KeySet();
    listed.set(one, keys);
    try {
      const reader = await system.verifiedReader(one, region);
      for await (const { key, foreign } of interruptible(session, reader.list())) {
        const submission = foreign ? undefined : submissionOfKey(key);
        if (submission !== undefined) keys.add(submission);
      }
    } catch (error) {
      // A later site that does not answer holds nothing for sure.
      if (one === next || remedyOf(error) !== 'retry') throw error;
    }
  }
  const trail = system.trail(() => [region]);
  return await findClaims({
    region,
    sites,
    audit: interruptible(session, trail.events()),
    custody: interruptible(session, trail.custody()),
    listed,
  });
}

function ended(region: string): CliError {
  return new CliError({
    code: 'CHANGE_ENDED',
    remedy: 'retry',
    message: `Expected the change of the arbiter of ${region} to end as this command asked, found that somebody ended it otherwise. See \`residency audit list --control\` and \`residency status\`, then decide anew.`,
  });
}

function changing(region: string, site: string): CliError {
  return new CliError({
    code: 'ARBITER_CHANGING',
    remedy: 'retry',
    message: `Expected no other change of the arbiter of ${region}, found one that takes ${site} out. See \`residency audit list --control\`; finish it with \`residency site out ${site} --reason TEXT\`, or end it with \`residency site out ${site} --abort\`.`,
  });
}

function wouldLose({ site, next, place: { region } }: Change, unheld: number): CliError {
  return new CliError({
    code: 'WOULD_LOSE',
    remedy: 'stop',
    message: `Expected a copy of every stored sample of ${region} in a site other than ${site}, found ${grouped(unheld)} without one; ${site} is still the arbiter. If it can come back, wait for it. If not, repeat this with --accept-loss: ${next} becomes the arbiter, the samples stay recorded as stored, and their identities are given to nobody else.`,
  });
}

async function said(
  { output }: Session,
  { json }: Common,
  { region, service, serving }: Place,
  sentence: string,
  found?: FoundClaims,
): Promise<ExitCode> {
  await (json
    ? output.json({
        region,
        serving,
        out: [...service.out.keys()],
        arbiterChanges: service.number,
        ...(found === undefined ? {} : { claims: found.claims.length, unheld: found.unheld }),
      })
    : output.line(sentence));
  return EXIT.done;
}
