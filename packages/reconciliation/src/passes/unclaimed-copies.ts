import { auditEventIn, erasable, formatPosition, objectKey } from '@residency/contracts';
import type { StoredEvent } from '@residency/contracts';
import { TOMBSTONE_WITHOUT_ORDER, tombstoneIn } from '../check-tombstone.ts';
import { checkObject } from '../check-object.ts';
import type { Difference } from '../difference.ts';
import type { SiteReader } from '../ports/site-reader.ts';
import type { Run } from '../run.ts';
import { UNKNOWN_BYTES } from '../unknown-bytes.ts';
import { copyIn, whereaboutsOf } from '../whereabouts.ts';

/**
 * An object that no event claims, in a site of the region in which its identity is stored. It may be
 * a copy whose custody event was not read yet.
 */
export interface UnclaimedCopy {
  readonly reader: SiteReader;
  readonly submission: string;
  /** The differences if it is no such copy. */
  readonly differences: readonly Difference[];
}

/**
 * Reads the events once more for the identities of these objects, and reports those that do not have
 * the ciphertext of a stored event of their region (RECONCILIATION §24), nor are tombstones of it.
 */
export async function judgeCopies(run: Run, copies: readonly UnclaimedCopy[]): Promise<void> {
  if (copies.length === 0) return;
  const stored = await storedEvents(run, new Set(copies.map(({ submission }) => submission)));
  for (const copy of copies)
    await run.work.start(UNKNOWN_BYTES, () =>
      run.sites.at(copy.reader, () => judgeCopy(run, copy, stored.get(copy.submission) ?? [])),
    );
  await run.work.drain();
}

async function judgeCopy(
  run: Run,
  { reader, submission, differences }: UnclaimedCopy,
  events: readonly StoredEvent[],
): Promise<void> {
  const { deps, report, orders } = run;
  const { site } = reader;
  // Read again: a custodian may have replaced it meanwhile.
  const found = await reader.read(objectKey(submission));
  // RECONCILIATION §15.
  if (found === undefined) return;
  const own = events.filter(
    ({ data }) => deps.regions().get(data.decision.region)?.has(site) === true,
  );
  for (const event of own) {
    const order = tombstoneIn(found, event);
    if (order === undefined) continue;
    if (!(await orders.names(order, erasable(event))))
      report.add({
        ...TOMBSTONE_WITHOUT_ORDER,
        site,
        key: objectKey(submission),
        position: formatPosition(event.position),
        submission,
      });
    return;
  }
  // The object of a lost sample is nobody's copy, also if its identity is stored anew.
  const isCopy = own.some(
    (event) =>
      whereaboutsOf(run, event).holding.lost === undefined &&
      checkObject(found, event, copyIn(site, event), deps.readHeader).length === 0,
  );
  if (!isCopy) for (const difference of differences) report.add(difference);
}

async function storedEvents(
  { deps, chain }: Run,
  submissions: ReadonlySet<string>,
): Promise<ReadonlyMap<string, readonly StoredEvent[]>> {
  const events = new Map<string, StoredEvent[]>();
  for await (const bytes of deps.trail.events()) {
    const event = auditEventIn(bytes);
    if (event?.outcome !== 'stored' || !chain.isRead(event.position)) continue;
    const { submission } = event.data;
    if (!submissions.has(submission)) continue;
    events.set(submission, [...(events.get(submission) ?? []), event]);
  }
  return events;
}
