import { randomUUID } from 'node:crypto';
import {
  ARBITER_CHANGED,
  ARBITER_CLAIMS,
  ARBITER_CLOSING,
  ARBITER_KEPT,
  CLAIMS_IN_EVENT,
  SITE_IN,
  SITE_OUT,
  SITE_REPAIR_ORDERED,
  serviceOf,
  sitesInService,
  submissionOfKey,
} from '@residency/contracts';
import type { ControlEvent, RegionService } from '@residency/contracts';
import { KeySet, findClaims } from '@residency/custodianship';
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
    if (abort === true) return await abortChange(session, options, system, place);
    const out = { site, reason: reason ?? '' };
    const { closing } = place.service;
    if (closing !== undefined && closing.site !== site) throw changing(place, closing.site);
    if (!place.serving.includes(site))
      return await said(
        session,
        options,
        place,
        `${site} is out of service already; nothing was changed.`,
      );
    const [, next] = place.serving;
    if (next === undefined)
      throw new CliError({
        code: 'LAST_SITE',
        remedy: 'stop',
        message: `Expected another site of ${place.region} in service, found that ${site} is the only one; nothing was changed. Take another one in first: residency site in.`,
      });
    if (place.serving[0] !== site) return await laterSiteOut(session, options, system, place, out);
    return await changeArbiter(session, options, system, { place, next, ...out });
  });
}

/** Takes a site into service again, as a later site, and orders that every copy in it is checked. */
export async function takeSiteIn(
  session: Session,
  options: Common,
  site: string,
): Promise<ExitCode> {
  return await withSystem(session, options, async (system) => {
    const { region, serving } = await placeOf(session, system, site);
    if (serving.includes(site))
      return await said(
        session,
        options,
        await placeOf(session, system, site),
        `${site} is in service already; nothing was changed.`,
      );
    // It must answer, and be the site that it is taken for.
    await system.verifiedReader(site, region);
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

async function placeOf(session: Session, system: System, site: string): Promise<Place> {
  const inForce = policyInForce(await system.policies(), session.now());
  const regions = inForce?.document.regions ?? [];
  const found = regions.find(({ sites }) => sites.includes(site));
  if (found === undefined)
    throw usage(
      `Expected a site that the policy in force names (${regions.flatMap(({ sites }) => sites).join(', ')}), found ${printable(site)}; nothing was changed. Name one of them.`,
    );
  const service = serviceOf(await controlOf(system), found.id);
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
  return await said(
    session,
    options,
    await placeOf(session, system, site),
    `${site} is out of service. Samples of ${region} are stored without it, and nothing is asked of it, until \`residency site in ${site}\`.`,
  );
}

async function abortChange(
  session: Session,
  options: Common,
  system: System,
  { region, service: { closing }, serving }: Place,
): Promise<ExitCode> {
  if (closing === undefined)
    throw new CliError({
      code: 'NOTHING_TO_ABORT',
      remedy: 'stop',
      message: `Expected a change of the arbiter of ${region} that has not ended, found none; nothing was changed.`,
    });
  await record(session, system, kept(closing.act, region, 'aborted by a person'));
  const [arbiter = ''] = serving;
  return await said(
    session,
    options,
    await placeOf(session, system, arbiter),
    `The change is aborted. ${arbiter} is the arbiter of ${region} as before, and samples wait for it if it does not answer.`,
  );
}

interface Change {
  readonly place: Place;
  readonly site: string;
  readonly next: string;
  readonly reason: string;
}

async function changeArbiter(
  session: Session,
  options: Out,
  system: System,
  change: Change,
): Promise<ExitCode> {
  const { region } = change.place;
  const act = await beginChange(session, system, change);
  let found: FoundClaims;
  try {
    await system.fenceRouters();
    found = await claimsOf(session, system, change);
    if (found.unheld > 0 && options.acceptLoss !== true) throw wouldLose(change, found.unheld);
    await appendClaims(session, system, { act, region, found });
  } catch (error) {
    // So that the region does not wait for a person who has read the error.
    await system
      .append([controlEvent(session, kept(act, region, 'it failed'))])
      .catch(() => undefined);
    throw error;
  }
  const after = await placeOf(session, system, change.site);
  if (after.serving[0] !== change.next) throw changing(after, change.site);
  const lost =
    found.unheld > 0
      ? ` ${grouped(found.unheld)} stored samples have no copy in a site in service; nobody else gets their identities.`
      : '';
  return await said(
    session,
    options,
    after,
    `${change.site} is out of service, and ${change.next} arbitrates in ${region}. Samples flow again.${lost}`,
    found,
  );
}

/** Returns the act of the open change: this one, or that of a command that did not end. */
async function beginChange(
  session: Session,
  system: System,
  { place: { region, service }, site, next, reason }: Change,
): Promise<string> {
  if (service.closing !== undefined) return service.closing.act;
  const act = randomUUID();
  await record(session, system, {
    type: ARBITER_CLOSING,
    data: { act, region, site, next, reason },
  });
  const { closing } = serviceOf(await controlOf(system), region);
  if (closing?.act !== act) throw changing({ region }, closing?.site ?? site);
  return act;
}

async function claimsOf(
  session: Session,
  system: System,
  { place: { region, serving }, site, next }: Change,
): Promise<FoundClaims> {
  const reader = await system.verifiedReader(next, region);
  const listed = new KeySet();
  for await (const { key, foreign } of interruptible(session, reader.list())) {
    const submission = foreign ? undefined : submissionOfKey(key);
    if (submission !== undefined) listed.add(submission);
  }
  const trail = system.trail(() => [region]);
  return await findClaims({
    region,
    sites: serving.filter((one) => one !== site),
    audit: interruptible(session, trail.events()),
    custody: interruptible(session, trail.custody()),
    listed,
  });
}

async function appendClaims(
  session: Session,
  system: System,
  {
    act,
    region,
    found: { claims, unheld },
  }: { readonly act: string; readonly region: string; readonly found: FoundClaims },
): Promise<void> {
  const attempt = randomUUID();
  for (let from = 0; from < claims.length; from += CLAIMS_IN_EVENT)
    await record(session, system, {
      type: ARBITER_CLAIMS,
      data: { act, region, attempt, claims: claims.slice(from, from + CLAIMS_IN_EVENT) },
    });
  await record(session, system, {
    type: ARBITER_CHANGED,
    data: { act, region, attempt, claims: claims.length, unheld },
  });
}

function kept(act: string, region: string, reason: string): ControlEvent {
  return { type: ARBITER_KEPT, data: { act, region, reason } };
}

function changing({ region }: Pick<Place, 'region'>, site: string): CliError {
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
        out: Object.keys(service.out),
        arbiterChanges: service.number,
        ...(found === undefined ? {} : { claims: found.claims.length, unheld: found.unheld }),
      })
    : output.line(sentence));
  return EXIT.done;
}
