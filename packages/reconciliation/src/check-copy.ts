import type { Placement, StoredEvent } from '@residency/contracts';
import type { Holding } from '@residency/custody';
import { checkObject } from './check-object.ts';
import type { Fault } from './check-object.ts';
import type { ReadSealedHeader } from './ports/sealed-reader.ts';
import { ERASED_BUT_PRESENT, TOMBSTONE_MISSING, tombstoneIn } from './check-tombstone.ts';
import type { FoundObject } from './ports/site-reader.ts';
import { copyIn } from './whereabouts.ts';

export interface CheckedCopy {
  readonly faults: readonly Fault[];
  /** What the object agrees with; absent: no placement, only the event's record. */
  readonly placement?: Placement | undefined;
  /** The order that it names, if it is a tombstone of the sample. */
  readonly tombstone?: string;
}

/**
 * Compares an object of a stored event with what its site may have (RECONCILIATION §23): a copy; or,
 * if the site owes one, also nothing, or another ciphertext of the same record. A tombstone is allowed
 * everywhere; the caller asks for its order. In a site where the sample was erased it is all that is
 * allowed (RECONCILIATION §28), and where it was not yet, nothing need be there
 * (RECONCILIATION §29).
 */
export function checkCopy(
  found: FoundObject | undefined,
  event: StoredEvent,
  site: string,
  holding: Holding,
  readHeader: ReadSealedHeader,
): CheckedCopy {
  const tombstone = found === undefined ? undefined : tombstoneIn(found, event);
  if (tombstone !== undefined) return { faults: [], tombstone };
  const { erased } = holding;
  if (erased?.sites.includes(site) === true)
    return { faults: [found === undefined ? TOMBSTONE_MISSING : ERASED_BUT_PRESENT] };
  if (erased !== undefined && found === undefined) return { faults: [] };
  const placed = event.data.placements.find((placement) => placement.site === site);
  const owes = !holding.copies.some((one) => one.site === site);
  if (owes && placed === undefined && found === undefined) return { faults: [] };
  let faults: readonly Fault[] | undefined;
  for (const placement of allowedIn(site, event, { holding, placed, owes })) {
    const others = checkObject(found, event, placement, readHeader);
    if (others.length === 0) return { faults: [], placement };
    faults ??= others;
  }
  return { faults: faults ?? [] };
}

/**
 * What the object may be, the most likely first. `undefined`: whatever its own metadata say, if it is
 * of the event's record.
 */
function allowedIn(
  site: string,
  event: StoredEvent,
  {
    holding,
    placed,
    owes,
  }: {
    readonly holding: Holding;
    readonly placed: Placement | undefined;
    readonly owes: boolean;
  },
): readonly (Placement | undefined)[] {
  const copy = copyIn(site, event);
  if (owes) return placed === undefined ? [copy, undefined] : [placed, copy];
  return [placed?.sealedSha256 === holding.sealedSha256 ? placed : copy];
}
