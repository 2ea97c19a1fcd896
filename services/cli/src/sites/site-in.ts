import { randomUUID } from 'node:crypto';
import {
  SAMPLE_ERASED,
  SAMPLE_LOST,
  SITE_IN,
  SITE_REPAIR_ORDERED,
  objectMetadataIn,
  sampleErased,
  submissionOfKey,
} from '@residency/contracts';
import type { ControlEvent } from '@residency/contracts';
import { storedObjects } from '@residency/custodianship';
import { withSystem } from '../opening/with-system.ts';
import { controlEvent } from '../system/control.ts';
import { custodyEvents } from '../system/holdings.ts';
import type { System } from '../system/system.ts';
import { CliError } from '../terminal/cli-error.ts';
import type { Common } from '../terminal/command.ts';
import type { ExitCode } from '../terminal/exit-code.ts';
import { interruptible } from '../terminal/interruptible.ts';
import type { Session } from '../terminal/session.ts';
import { grouped } from '../terminal/table.ts';
import { changing, placeOf, said } from './site-place.ts';

/**
 * Takes a site into service again, as a later site, and orders that every copy in it is checked. What
 * it holds must belong to stored samples that were not given up: any other object could be taken for an
 * owner's.
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

/** Objects in the site that are of no stored sample of the region, or of a lost one. Throws if it is another's site. */
async function strangersIn(
  session: Session,
  system: System,
  site: string,
  region: string,
): Promise<readonly string[]> {
  const reader = await system.verifiedReader(site, region);
  const trail = system.trail(() => [region]);
  const lost = await lostSamples(session, system, region);
  const stored = await storedObjects(region, interruptible(session, trail.events()), lost);
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

/** The positions of samples that were given up, and that no order erases. */
async function lostSamples(
  session: Session,
  system: System,
  region: string,
): Promise<ReadonlySet<string>> {
  const lost = new Set<string>();
  for await (const event of custodyEvents(session, system, new Set([region])))
    if (event.type === SAMPLE_LOST) lost.add(event.data.of);
    // The custodian puts a tombstone in the object's place.
    else if (event.type === SAMPLE_ERASED) lost.delete(sampleErased(event).of);
  return lost;
}

function hasStrangers(site: string, strangers: readonly string[]): CliError {
  const some = strangers.slice(0, 3).join(', ');
  return new CliError({
    code: 'SITE_HAS_STRANGERS',
    remedy: 'stop',
    message: `Expected ${site} to hold objects of stored samples alone, found ${grouped(strangers.length)} others (${some}${strangers.length > 3 ? ', ...' : ''}); nothing was changed. They were written before it went out, or are of samples that were given up, and decide nothing any more: move them away, or give the site an empty bucket (residency site rebuild ${site}), then repeat this.`,
  });
}
