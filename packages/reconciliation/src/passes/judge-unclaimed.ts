import { objectKey, parsePosition } from '@residency/contracts';
import { defined } from '@residency/defined';
import type { Committed } from '../audit-chain.ts';
import { checkInFlight, checkObject, metadataOf } from '../check-object.ts';
import type { DuplicateEvent, Fault } from '../check-object.ts';
import type { Claims } from '../claims.ts';
import { learn } from '../decided-sites.ts';
import { UNKNOWN_BYTES } from '../unknown-bytes.ts';
import type { SealedHeader } from '../ports/sealed-reader.ts';
import type { FoundObject, SiteReader } from '../ports/site-reader.ts';
import type { Run } from '../run.ts';

export interface JudgeUnclaimedDeps {
  readonly claims: Claims;
  /** The duplicate event of that position, if it names copies. */
  readonly duplicateWithCopies: (position: string) => DuplicateEvent | undefined;
  readonly before: Committed;
  /** Read after the lists (RECONCILIATION §10). */
  readonly end: Committed;
}

/** Reads the objects that no stored event claims. They are in flight or in the wrong place. */
export async function judgeUnclaimed(run: Run, deps: JudgeUnclaimedDeps): Promise<void> {
  const { sites, work } = run;
  for (const { submission, sites: numbers, stored } of deps.claims.unclaimed()) {
    for (const number of numbers) {
      const reader = sites.all[number];
      if (reader === undefined) continue;
      await work.start(UNKNOWN_BYTES, () =>
        sites.at(reader, () => judgeOne(run, deps, reader, { submission, stored })),
      );
    }
  }
  await work.drain();
}

async function judgeOne(
  run: Run,
  { duplicateWithCopies, before, end }: JudgeUnclaimedDeps,
  reader: SiteReader,
  { submission, stored }: { readonly submission: string; readonly stored: boolean },
): Promise<void> {
  const { chain, report } = run;
  const key = objectKey(submission);
  const found = await reader.read(key);
  run.judged();
  // RECONCILIATION §15.
  if (found === undefined) return;
  // A router writes metadata with the object, so an object without metadata is not in flight.
  const position = metadataOf(found)?.position;
  // RECONCILIATION §7, or else RECONCILIATION §8.
  const inFlight = position !== undefined && chain.isInFlight(parsePosition(position), before, end);
  const copyOf = position === undefined ? undefined : duplicateWithCopies(position);
  const faults = inFlight
    ? await judgeInFlight(run, reader, submission, found)
    : (judgeCopy(run, reader, found, copyOf) ?? [whyUnclaimed(stored)]);
  if (inFlight && faults.length === 0) report.inFlight += 1;
  for (const fault of faults)
    report.add({ ...fault, site: reader.site, key, ...defined({ position }), submission });
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
  { deps }: Run,
  { site }: SiteReader,
  submission: string,
  found: FoundObject,
): Promise<readonly Fault[]> {
  const belongs = ({ policyDigest, region }: SealedHeader): boolean =>
    deps.sitesOf(policyDigest, region)?.includes(site) ?? false;
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
