import { auditEventIn, isStoredIn } from '@residency/contracts';
import type { Holding } from '@residency/custody';
import { Holdings } from '../system/holdings.ts';
import type { System } from '../system/system.ts';
import { interruptible } from '../terminal/interruptible.ts';
import type { Session } from '../terminal/session.ts';
import type { NamedSite } from './site-orders.ts';

/** The stored samples of a site's region that were not erased, by what the logs say of their copy. */
export interface SiteCopies {
  readonly has: number;
  readonly owed: number;
}

/** Reads the region's custody log and the audit log. */
export async function copiesIn(
  session: Session,
  system: System,
  { site, region }: NamedSite,
): Promise<SiteCopies> {
  const copies = { has: 0, owed: 0 };
  for await (const now of holdingsOf(session, system, region))
    if (now.erased === undefined) copies[isIn(site, now) ? 'has' : 'owed'] += 1;
  return copies;
}

/** Every stored sample of a region, after the custody events so far. */
export async function* holdingsOf(
  session: Session,
  system: System,
  region: string,
): AsyncGenerator<Holding> {
  const holdings = await Holdings.open(session, system, new Set([region]));
  for await (const { value } of interruptible(session, system.auditLog())) {
    const event = auditEventIn(value);
    if (isStoredIn(region, event)) yield holdings.of(event);
  }
}

/** Whether the site has the sample's ciphertext, by the logs. */
export function isIn(site: string, { copies }: Pick<Holding, 'copies'>): boolean {
  return copies.some((copy) => copy.site === site);
}
