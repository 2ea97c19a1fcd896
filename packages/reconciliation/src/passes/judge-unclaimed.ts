import { objectKey, parsePosition, setAsideKey } from '@residency/contracts';
import { defined } from '@residency/defined';
import type { Committed } from '../audit-chain.ts';
import { checkInFlight, checkObject, metadataOf } from '../check-object.ts';
import type { DuplicateEvent, Fault } from '../check-object.ts';
import { TOMBSTONE_WITHOUT_ORDER, orderIn } from '../check-tombstone.ts';
import type { Claims, Unclaimed } from '../claims.ts';
import { learn } from '../decided-sites.ts';
import type { Difference } from '../difference.ts';
import { UNKNOWN_BYTES } from '../unknown-bytes.ts';
import type { SealedHeader } from '../ports/sealed-reader.ts';
import type { FoundObject, SiteReader } from '../ports/site-reader.ts';
import type { Run } from '../run.ts';
import { judgeCopies } from './unclaimed-copies.ts';
import type { UnclaimedCopy } from './unclaimed-copies.ts';

export interface JudgeUnclaimedDeps {
  readonly claims: Claims;
  /** The duplicate event of that position, if it names copies. */
  readonly duplicateWithCopies: (position: string) => DuplicateEvent | undefined;
  readonly before: Committed;
  /** Read after the lists (RECONCILIATION §10). */
  readonly end: Committed;
}

/**
 * Reads the objects that no stored event claims. They are in flight, or copies whose custody events
 * come later, or in the wrong place.
 */
export async function judgeUnclaimed(run: Run, deps: JudgeUnclaimedDeps): Promise<void> {
  const { sites, work } = run;
  const copies: UnclaimedCopy[] = [];
  for (const identity of deps.claims.unclaimed()) {
    for (const reader of readersOf(run, identity.setAside))
      if (!(await isBeside(run, reader, identity)))
        run.report.add(setAsideByNobody(reader, identity));
    for (const reader of readersOf(run, identity.sites))
      await work.start(UNKNOWN_BYTES, () =>
        sites.at(reader, async () => {
          const faulty = await judgeOne(run, deps, reader, identity);
          if (faulty === undefined) return;
          if (await isBeside(run, reader, identity)) copies.push({ ...faulty, reader });
          else for (const difference of faulty.differences) run.report.add(difference);
        }),
      );
  }
  await work.drain();
  await judgeCopies(run, copies);
}

function readersOf({ sites }: Run, numbers: readonly number[]): readonly SiteReader[] {
  return numbers.map((number) => sites.all[number]).filter((reader) => reader !== undefined);
}

/**
 * Bytes under a set-aside key. They belong to a stored sample of the site's region, because a
 * custodian sets aside only for those; the event was visible before (RECONCILIATION §22).
 */
function setAsideByNobody({ site }: SiteReader, { submission }: Unclaimed): Difference {
  return {
    code: 'FOREIGN_OBJECT',
    site,
    key: setAsideKey(submission, ''),
    submission,
    message:
      'Expected bytes to be set aside only for samples that are stored in the region of the site, found some for another; see who else may write there.',
  };
}

/** Whether the identity is stored in other sites of the region that has this site. */
async function isBeside(
  { deps, sites }: Run,
  { site }: SiteReader,
  { claimed }: Unclaimed,
): Promise<boolean> {
  if (claimed.length === 0) return false;
  await deps.learnSite?.(site);
  const region = [...deps.regions().values()].find((some) => some.has(site));
  return region !== undefined && sites.numbersOf(region).some((one) => claimed.includes(one));
}

/** An unclaimed object with its differences; `undefined`: it has none, or is gone. */
async function judgeOne(
  run: Run,
  { duplicateWithCopies, before, end }: JudgeUnclaimedDeps,
  reader: SiteReader,
  { submission, stored, lost }: Unclaimed,
): Promise<Pick<UnclaimedCopy, 'submission' | 'differences'> | undefined> {
  const { chain, report } = run;
  const key = objectKey(submission);
  const found = await reader.read(key);
  run.judged();
  // RECONCILIATION §15.
  if (found === undefined) return undefined;
  // A router writes metadata with the object, so an object without metadata is not in flight.
  const position = metadataOf(found)?.position;
  // RECONCILIATION §7, or else RECONCILIATION §8.
  const inFlight = position !== undefined && chain.isInFlight(parsePosition(position), before, end);
  const copyOf = position === undefined ? undefined : duplicateWithCopies(position);
  const isOfLost = !inFlight && lost.some((number) => run.sites.all[number]?.site === reader.site);
  const faults =
    inFlight || (isOfLost && orderIn(found.bytes, submission) !== undefined)
      ? await judgeInFlight(run, reader, submission, found)
      : (judgeCopy(run, reader, found, copyOf) ?? [
          isOfLost ? LOST_BUT_PRESENT : whyUnclaimed(stored || lost.length > 0),
        ]);
  if (faults.length > 0)
    return {
      submission,
      differences: faults.map((fault) => ({
        ...fault,
        site: reader.site,
        key,
        ...defined({ position }),
        submission,
      })),
    };
  if (inFlight) report.inFlight += 1;
  return undefined;
}

/** The faults of a copy that a duplicate's event names; `undefined`: no event names it. */
function judgeCopy(
  { deps }: Run,
  { site }: SiteReader,
  found: FoundObject,
  event: DuplicateEvent | undefined,
): readonly Fault[] | undefined {
  const placement = event?.data.placements?.find((one) => one.site === site);
  return event === undefined || placement === undefined
    ? undefined
    : checkObject(found, event, placement, deps.readHeader);
}

async function judgeInFlight(
  { deps, orders }: Run,
  { site }: SiteReader,
  submission: string,
  found: FoundObject,
): Promise<readonly Fault[]> {
  // The record was settled, and its sample erased, after the events were read: RECONCILIATION §30.
  const order = orderIn(found.bytes, submission);
  if (order !== undefined) return (await orders.has(order)) ? [] : [TOMBSTONE_WITHOUT_ORDER];
  const belongs = ({ policyDigest, region }: SealedHeader): boolean =>
    deps.sitesOf(policyDigest, region)?.includes(site) === true ||
    // The arbiter may be a site that a later version added.
    deps.regions().get(region)?.has(site) === true;
  const header = headerOf(deps.readHeader, found);
  if (header !== undefined) await learn(deps, header.policyDigest, header.region);
  const fault = checkInFlight(found, submission, belongs, deps.readHeader);
  return fault === undefined ? [] : [fault];
}

/** `undefined`: not a sealed message. `checkInFlight` reports that. */
function headerOf(
  readHeader: Run['deps']['readHeader'],
  { bytes }: FoundObject,
): SealedHeader | undefined {
  try {
    return readHeader(bytes);
  } catch {
    return undefined;
  }
}

const LOST_BUT_PRESENT: Fault = {
  code: 'LOST_BUT_PRESENT',
  message:
    'Expected no object of a sample that was given up, found one: a site may have been restored from a backup. A record that is sent again would count as its duplicate. Keep its bytes in another place, and remove it (docs/how-to/survive-a-lost-site.md).',
};

function whyUnclaimed(stored: boolean): Fault {
  return stored
    ? {
        code: 'WRONG_REGION',
        message:
          'Expected the submission only in the sites of the regions its events decided, found it here too.',
      }
    : {
        code: 'OBJECT_WITHOUT_EVENT',
        message:
          'Expected an audit event that stored this object, found none, and its record is settled or not in this log.',
      };
}
