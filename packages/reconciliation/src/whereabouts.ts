import { storedSample } from '@residency/contracts';
import type { Placement, StoredEvent } from '@residency/contracts';
import { owedSites } from '@residency/custody';
import type { CustodyFinding, Holding } from '@residency/custody';
import { sitesOfEvent } from './decided-sites.ts';
import type { Run } from './run.ts';

/** Where the objects of a stored event are, by the event and the custody events about it. */
export interface Whereabouts {
  readonly holding: Holding;
  /** The custody events about it that cannot follow. */
  readonly findings: readonly CustodyFinding[];
  /**
   * The sites whose objects are compared: those that the event's policy names, and those with a copy
   * or a tombstone. Of a lost sample none, unless it was erased since.
   */
  readonly sites: readonly string[];
  /** The sites of its region, in any valid policy version, that have no copy yet. */
  readonly owed: readonly string[];
}

export function whereaboutsOf(
  { deps, custody }: Pick<Run, 'deps' | 'custody'>,
  event: StoredEvent,
): Whereabouts {
  const stored = storedSample(event);
  const folded = custody.fold(stored);
  const decided = sitesOfEvent(deps, event);
  const { copies, erased, lost } = folded.holding;
  if (lost !== undefined && erased === undefined) return { ...folded, sites: [], owed: [] };
  return {
    ...folded,
    sites: [...new Set([...decided, ...copies.map(({ site }) => site), ...(erased?.sites ?? [])])],
    owed: owedSites(folded.holding, [
      ...new Set([...decided, ...(deps.regions().get(stored.region) ?? [])]),
    ]),
  };
}

/**
 * The placement of the holding's ciphertext in `site`. `undefined`: the event has no placement, which
 * no decoded event is.
 */
export function copyIn(site: string, { data: { placements } }: StoredEvent): Placement | undefined {
  const [first] = placements;
  return first === undefined ? undefined : { ...first, site };
}
