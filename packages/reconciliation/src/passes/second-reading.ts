import { auditEventIn, erasable, formatPosition, objectKey } from '@residency/contracts';
import type { StoredEvent } from '@residency/contracts';
import { AuditChain, partitionOf } from '../audit-chain.ts';
import { checkCopy } from '../check-copy.ts';
import { TOMBSTONE_WITHOUT_ORDER, isOrdered } from '../check-tombstone.ts';
import { checkOpened } from '../check-object.ts';
import type { Difference } from '../difference.ts';
import type { ReadingProgress } from '../ports/reading-progress.ts';
import type { SiteReader } from '../ports/site-reader.ts';
import type { Run } from '../run.ts';
import { whereaboutsOf } from '../whereabouts.ts';
import type { Whereabouts } from '../whereabouts.ts';

export interface SecondReadingDeps {
  readonly progress: ReadingProgress;
  /**
   * Called before each stored event whose objects are to be read. `true` ends the reading there.
   */
  readonly enough: () => boolean;
}

/** Reads the audit events of the first reading once more, each with its objects. */
export async function readObjects(run: Run, deps: SecondReadingDeps): Promise<void> {
  const chain = new AuditChain();
  for await (const bytes of run.deps.trail.events()) {
    const event = auditEventIn(bytes);
    if (event === undefined || chain.follow(event)?.code === 'POSITION_TWICE') continue;
    // RECONCILIATION §13.
    if (event.outcome !== 'stored' || !run.chain.isRead(event.position)) continue;
    if (!(await checkPlacements(run, deps, event))) break;
  }
  await run.work.drain();
}

/** `false`: the reading must end. */
async function checkPlacements(
  run: Run,
  { progress, enough }: SecondReadingDeps,
  event: StoredEvent,
): Promise<boolean> {
  const { sites, work, report } = run;
  // By the custody events of the survey: RECONCILIATION §25.
  const whereabouts = whereaboutsOf(run, event);
  const { sites: expected, holding } = whereabouts;
  const partition = partitionOf(event.position);
  let left = expected.length;
  const checked = (): void => {
    left -= 1;
    if (left === 0) report.storedChecked += 1;
  };
  for (const site of expected) {
    const reader = sites.reader(site);
    if (reader === undefined) continue;
    const object = { site, partition, offset: event.position.offset };
    // Checked in an earlier run of this pass: RECONCILIATION §20.
    if (progress.isChecked(object)) {
      checked();
      continue;
    }
    if (sites.isUnreachable(site)) continue;
    if (enough()) return false;
    const compared = progress.begins(object);
    const bytes =
      event.data.placements.find((placement) => placement.site === site)?.sealedBytes ??
      holding.sealedBytes;
    await work.start(bytes, () =>
      sites.at(reader, async () => {
        compared(await checkPlacement(run, reader, event, whereabouts));
        checked();
      }),
    );
  }
  return true;
}

/** An object that must be there and is missing now is a difference: RECONCILIATION §11. */
async function checkPlacement(
  { deps, report, orders, judged }: Run,
  reader: SiteReader,
  event: StoredEvent,
  { holding }: Whereabouts,
): Promise<readonly Difference[]> {
  const { submission } = event.data;
  const key = objectKey(submission);
  const found = await reader.read(key);
  const checked = checkCopy(found, event, reader.site, holding, deps.readHeader);
  const { placement, tombstone } = checked;
  const faults = [...checked.faults];
  if (tombstone !== undefined) {
    if (!(await isOrdered(tombstone, orders, erasable(event), holding)))
      faults.push(TOMBSTONE_WITHOUT_ORDER);
  } else if (faults.length === 0 && found !== undefined && deps.open !== undefined) {
    const fault = await checkOpened(found.bytes, event, placement, deps.open);
    if (fault === undefined) report.opened += 1;
    else faults.push(fault);
  }
  const differences = faults.map((fault): Difference => ({
    ...fault,
    site: reader.site,
    key,
    position: formatPosition(event.position),
    submission,
  }));
  for (const difference of differences) report.add(difference);
  judged();
  return differences;
}
