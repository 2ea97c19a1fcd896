import { objectKey } from '@residency/contracts';
import type { LossRefusal, LostData } from '@residency/contracts';
import { remedyOf } from '@residency/coded-error';
import type { SettledOutcomes } from '@residency/routing';
import { hasCiphertext, judgeStranger } from './copy-sample.ts';
import type { Debt } from './debt.ts';
import { isTombstone } from './erase-sample.ts';
import type { CustodianSite } from './ports/custodian-site.ts';
import type { RegionSites } from './region-sites.ts';
import { unlessAway } from './unless-away.ts';

export interface JudgeLossDeps {
  readonly sites: Pick<RegionSites, 'answered' | 'awaited' | 'failed' | 'site'>;
  readonly outcomes: SettledOutcomes;
}

/** What the sites of the region say about a sample that a person gives up. */
export type LossVerdict =
  | { readonly lost: LostData['sites'] }
  | { readonly refused: LossRefusal; readonly site?: string }
  /** Sites that did not answer, are out of service, or have the object of an unsettled record. */
  | { readonly waitsFor: readonly string[] };

/** What has a lost sample's key in one site, or why the sample is not lost. */
type Found = LostData['sites'][number]['found'] | 'good' | 'in place' | 'waits';

/**
 * Reads the sample's key in each of `serving`. It is lost if each of them answered, none of them has
 * a good copy, and no site is out of service that somebody expects back: that one may have it. An
 * object that a router could take for the sample's must be removed first, or a record that is sent
 * again would be a duplicate of nothing (docs/decisions/0054). Throws a site's errors if they are not
 * `retry`.
 */
export async function judgeLoss(
  debt: Debt,
  serving: readonly string[],
  deps: JudgeLossDeps,
): Promise<LossVerdict> {
  const all = await Promise.all(
    serving.map(async (site) => ({ site, found: await lookAt(site, debt, deps) })),
  );
  const good = all.find(({ found }) => found === 'good');
  if (good !== undefined) return { refused: 'HELD', site: good.site };
  const waitsFor = [
    ...all.filter(({ found }) => found === 'waits').map(({ site }) => site),
    ...deps.sites.awaited,
  ];
  // With no site there is nobody to ask.
  if (waitsFor.length > 0 || all.length === 0) return { waitsFor };
  const inPlace = all.find(({ found }) => found === 'in place');
  if (inPlace !== undefined) return { refused: 'OBJECT_IN_PLACE', site: inPlace.site };
  return {
    lost: all.flatMap(({ site, found }) =>
      found === 'nothing' || found === 'another' || found === 'tombstone' ? [{ site, found }] : [],
    ),
  };
}

async function lookAt(name: string, debt: Debt, deps: JudgeLossDeps): Promise<Found> {
  const { value, away } = await unlessAway(async () => {
    const site = await deps.sites.site(name);
    return typeof site === 'string' ? 'waits' : await lookIn(site, debt, deps.outcomes);
  });
  if (value === undefined) {
    deps.sites.failed(name, away);
    return 'waits';
  }
  if (value !== 'waits') deps.sites.answered(name);
  return value;
}

async function lookIn(
  site: CustodianSite,
  { holding }: Debt,
  outcomes: SettledOutcomes,
): Promise<Found> {
  try {
    const found = await site.read(objectKey(holding.submission));
    if (found === undefined) return 'nothing';
    if (hasCiphertext(found, holding)) return 'good';
    if (isTombstone(found)) return 'tombstone';
    const stranger = await judgeStranger(found, holding, outcomes);
    if (stranger === 'STORED_TWICE') return 'another';
    return stranger === 'STRANGER_UNSETTLED' ? 'waits' : 'in place';
  } catch (error) {
    // What has the key cannot be read.
    if (remedyOf(error) === 'park') return 'in place';
    throw error;
  }
}
