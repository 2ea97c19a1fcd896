import { remedyOf } from '@residency/coded-error';
import {
  DEFAULT_LIMITS,
  SITE_MARKER_KEY,
  decodeAuditEvent,
  formatPosition,
  objectKey,
  parsePosition,
  submissionOfKey,
} from '@residency/contracts';
import type { AuditEvent, DuplicateData, Position } from '@residency/contracts';
import { AuditChain, partitionOf } from './audit-chain.ts';
import type { Committed } from './audit-chain.ts';
import { BoundedWork } from './bounded-work.ts';
import { checkInFlight, checkObject, checkOpened, metadataOf } from './check-object.ts';
import type { Fault, StoredEvent } from './check-object.ts';
import type { Difference } from './difference.ts';
import type { ClaimedDecision } from './policy-book.ts';
import type { AuditTrail } from './ports/audit-trail.ts';
import type { ReadingProgress } from './ports/reading-progress.ts';
import type { OpenSealed, ReadSealedHeader, SealedHeader } from './ports/sealed-reader.ts';
import type { FoundObject, SiteReader } from './ports/site-reader.ts';
import { QuarantinePointers } from './quarantine-pointers.ts';
import { ReportDraft } from './report.ts';
import type { ReconciliationReport } from './report.ts';
import { SubmissionIndex } from './submission-index.ts';

export interface ReconcileDeps {
  /** Every site of every region, none twice. */
  readonly sites: readonly SiteReader[];
  /** Names of what stands where sites stand and is none of them. */
  readonly foreignSites: readonly string[];
  readonly trail: AuditTrail;
  /** A region's sites in writing order, as that policy version orders them; `undefined` where it is not known. */
  readonly sitesOf: (policyDigest: string, region: string) => readonly string[] | undefined;
  /** Whether that policy version decides so. */
  readonly ruleHolds: (policyDigest: string, claimed: ClaimedDecision) => boolean;
  /** Asked before a version counts as unknown; afterwards the two above know what was published before the call. Absent: they know all there is. */
  readonly learn?: (policyDigest: string) => Promise<void>;
  readonly readHeader: ReadSealedHeader;
  /** Present: every object is opened too. */
  readonly open?: OpenSealed;
}

export interface ReconcileOptions {
  /** Objects read at a time. */
  readonly concurrency?: number;
  /** What they have together, in bytes, about. */
  readonly bytesInWork?: number;
  /** Differences and notes listed; all are counted. */
  readonly maxListed?: number;
  /** `done` objects; first while listing, without `total`, then while checking. */
  readonly onProgress?: (done: number, total?: number) => void;
  /** Told of each difference at once. */
  readonly onDifference?: (difference: Difference) => void;
  /** Everything was told that can be found without reading the objects of stored events: in minutes where those take days. */
  readonly onSurveyed?: () => void;
  /** Present: a site that fails with remedy `retry` is told here, once, and left out from then on, instead of ending the run. */
  readonly onSiteAway?: (site: string, error: unknown) => void;
  /** Sites that are known to be away, and left out from the start. */
  readonly away?: Iterable<string>;
  readonly progress?: ReadingProgress;
  /** Asked before each stored event whose objects are to be read: `true` ends the run there. Its report is then of what was done. */
  readonly enough?: () => boolean;
}

interface Run extends ReconcileDeps, Pick<ReconcileOptions, 'onSiteAway'> {
  readonly report: ReportDraft;
  readonly chain: AuditChain;
  readonly work: BoundedWork;
  readonly away: Set<string>;
  readonly siteNumbers: ReadonlyMap<string, number>;
  /** An object was listed. */
  readonly listed: () => void;
  /** An object was read and judged. */
  readonly judged: () => void;
  readonly progress: ReadingProgress;
  readonly enough: () => boolean;
}

/** What is needed only until all events were read once: most of the memory. */
interface Survey extends Run {
  readonly index: SubmissionIndex;
  readonly pointers: QuarantinePointers;
  readonly partitions: Map<string, number>;
  /** Duplicates whose original was not read yet: it stands in a partition read later, or is in flight. */
  readonly pending: {
    readonly submission: string;
    readonly position: string;
    readonly of: Position;
  }[];
  readonly unread: Set<string>;
  /** Keys that no router writes, by site. */
  readonly foreign: Map<string, Set<string>>;
}

// An object without event announces no size: assume the largest.
const UNKNOWN_BYTES = DEFAULT_LIMITS.sampleBytes;
const DEFAULTS = { concurrency: 16, bytesInWork: 4 * UNKNOWN_BYTES, maxListed: 1_000 };
/** Of one site; further ones are told without a second look. */
const MAX_FOREIGN = 10_000;
const FROM_THE_START: ReadingProgress = { isChecked: () => false, begins: () => () => undefined };

/**
 * Compares what stands in the sites with what the audit events say, while routers run. A router creates a record's
 * objects first and makes its event and the committed position visible at one instant afterwards; nothing is changed or
 * deleted. From that, and from the order sites - end - committed - events - pointers - committed - end - unclaimed objects -
 * events again, with their objects, follows:
 *
 * - A listed object was there before `before` was read. Its record is either at or below `before`, then its event was
 *   visible when the events were begun, and that it was not among them is a finding; or beyond, then the record may
 *   still be in work: in flight, unless its partition was read as far as that all the same. With `before` read after
 *   the events, a record settled in between would be accused; with `before` read ahead of the listing, a record settled
 *   in between without an event would be excused. A record is in the log before its object is made: what claims a
 *   position at or beyond the end read after the listing is nobody's work.
 * - An event's objects are read after the event: whatever it names must stand there by then, also what the listing
 *   was too early for. So a missing object is a finding whatever the order, and the listing only says what to look for an event of.
 *   It also says that objects need not be read along with the events: all that stands in the wrong place, and all that the trail
 *   shows, is told before the first object of a stored event is read (docs/decisions/0014). Events that the first reading did not
 *   have are left to the next run: whatever stood in a site before this one has an event in the first reading, or none.
 * - A key that no router writes is looked for twice, because a store may show parts of what is being put. An object that is gone is none.
 * - A pointer appears with its event: all of the events read are among the pointers read after them.
 * - The last event read of a partition is not before `before` and not beyond `after`.
 * - A version is on the policy log before a record is decided under it: what is not there when it is read again is unknown.
 *
 * A pass may be several runs, one after another, that share `progress`. Then each object was compared in one of them, and every
 * run compares all lists and events anew: whatever stood in a site when the first began was listed by the last, or is gone; if an
 * event claims it, it was read after that event and after the pass began; else the last run judged it.
 *
 * Memory: `SubmissionIndex` for each identity until `onSurveyed`, objects in work, capped lists, one entry for each duplicate still
 * without its original and one for each quarantined event. Rejects with what a port threw: half a reconciliation proves nothing.
 */
export async function reconcile(
  deps: ReconcileDeps,
  options: ReconcileOptions = {},
): Promise<ReconciliationReport> {
  const run = begin(deps, options);
  await survey({
    ...run,
    index: new SubmissionIndex(deps.sites.length),
    pointers: new QuarantinePointers(),
    partitions: new Map(),
    pending: [],
    unread: new Set(),
    foreign: new Map(),
  });
  options.onSurveyed?.();
  await readObjects(run);
  return run.report.finish();
}

function begin(deps: ReconcileDeps, options: ReconcileOptions): Run {
  const report = new ReportDraft(
    options.maxListed ?? DEFAULTS.maxListed,
    options.onDifference ?? (() => undefined),
  );
  let done = 0;
  return {
    ...deps,
    report,
    chain: new AuditChain(),
    work: new BoundedWork({
      concurrency: options.concurrency ?? DEFAULTS.concurrency,
      bytes: options.bytesInWork ?? DEFAULTS.bytesInWork,
    }),
    away: new Set(options.away),
    ...(options.onSiteAway === undefined ? {} : { onSiteAway: options.onSiteAway }),
    siteNumbers: new Map(deps.sites.map(({ site }, number) => [site, number])),
    listed: () => {
      report.objects += 1;
      options.onProgress?.(report.objects);
    },
    judged: () => {
      done += 1;
      options.onProgress?.(done, Math.max(done, report.objects));
    },
    progress: options.progress ?? FROM_THE_START,
    enough: options.enough ?? (() => false),
  };
}

async function survey(run: Survey): Promise<void> {
  for (const [number, site] of run.sites.entries())
    await atSite(run, site, () => listSite(run, site, number));
  for (const name of run.foreignSites)
    run.report.add({
      code: 'FOREIGN_SITE',
      site: printable(name),
      message:
        'Expected only sites that a policy names, found something else among them; see who put it there.',
    });
  const end = await run.trail.end();
  const before = await run.trail.committed();
  for await (const bytes of run.trail.events()) await followEvent(run, bytes);
  await judgeTrail(run, before);
  await judgeUnclaimed(run, before, end);
  for (const site of run.sites) await atSite(run, site, () => judgeForeign(run, site));
}

/** A site that is away is left out, where whoever asked is told of it. */
async function atSite(run: Run, { site }: SiteReader, work: () => Promise<void>): Promise<void> {
  if (run.away.has(site)) return;
  try {
    await work();
  } catch (error) {
    if (run.onSiteAway === undefined || remedyOf(error) !== 'retry') throw error;
    if (run.away.has(site)) return;
    run.away.add(site);
    run.onSiteAway(site, error);
  }
}

async function listSite(run: Survey, reader: SiteReader, number: number): Promise<void> {
  const { site } = reader;
  for await (const { key, foreign } of reader.list()) {
    if (key === SITE_MARKER_KEY && !foreign) continue;
    const submission = foreign ? undefined : submissionOfKey(key);
    if (submission !== undefined) {
      if (run.index.addListed(submission, number)) run.listed();
      continue;
    }
    const known = run.foreign.get(site) ?? new Set();
    run.foreign.set(site, known);
    if (known.size < MAX_FOREIGN) known.add(key);
    else addForeign(run, site, key);
  }
}

/** Some stores list what is still being put, under a name of their own: what a second list does not have was never anybody's object. */
async function judgeForeign(run: Survey, reader: SiteReader): Promise<void> {
  const { site } = reader;
  const known = run.foreign.get(site);
  if (known === undefined) return;
  for await (const { key } of reader.list()) {
    if (known.size === 0) return;
    if (known.delete(key)) addForeign(run, site, key);
  }
}

function addForeign({ report }: Survey, site: string, key: string): void {
  report.add({
    code: 'FOREIGN_OBJECT',
    site,
    key: printable(key),
    message:
      'Expected only sample objects in the site, found something no router writes; see who else may write there.',
  });
}

async function followEvent(run: Survey, bytes: Buffer): Promise<void> {
  const event = decoded(bytes);
  if (event === undefined) {
    run.report.add({
      code: 'AUDIT_EVENT_INVALID',
      message:
        'Expected an audit event as in docs/formats/audit-event.md, found a record that is none; see who else may write to the audit log.',
    });
    return;
  }
  const broken = run.chain.follow(event);
  if (broken !== undefined) run.report.add(broken);
  if (broken?.code === 'POSITION_TWICE') return;
  run.report.events[event.outcome] += 1;
  if (event.outcome === 'stored') await followStored(run, event);
  if (event.outcome === 'quarantined') run.pointers.addEvent(event.position);
  if (event.outcome === 'duplicate') followDuplicate(run, event.position, event.data);
}

async function followStored(run: Survey, event: StoredEvent): Promise<void> {
  const { submission, decision } = event.data;
  await learn(run, decision.policy.digest, decision.region);
  judgeDecision(run, event);
  const numbers = sitesOfEvent(run, event)
    .map((site) => run.siteNumbers.get(site))
    .filter((number) => number !== undefined);
  const elsewhere = run.index.addStored(
    submission,
    { partition: partitionNumber(run, event.position), offset: event.position.offset },
    numbers,
  );
  if (elsewhere)
    run.report.alsoIn.add({
      submission,
      position: formatPosition(event.position),
      region: decision.region,
    });
}

/** What is wrong with the decision and its placements, whatever stands in the sites. */
function judgeDecision(run: Survey, event: StoredEvent): void {
  const {
    submission,
    decision: { rule, region, policy },
    country,
    placements,
  } = event.data;
  const about = { position: formatPosition(event.position), submission };
  const sites = run.sitesOf(policy.digest, region);
  if (sites === undefined) {
    run.report.add({
      code: 'POLICY_UNKNOWN',
      ...about,
      message:
        'Expected a policy version that has the decided region under the digest the event names, found none; its sites are taken from the event.',
    });
  } else if (
    sites.length !== placements.length ||
    placements.some(({ site, key }, i) => site !== sites[i] || key !== objectKey(submission))
  ) {
    run.report.add({
      code: 'PLACEMENTS_INCOMPLETE',
      ...about,
      message:
        "Expected one placement at the submission's key in each site of the region, in the policy's order, found others.",
    });
  }
  if (
    sites !== undefined &&
    !run.ruleHolds(policy.digest, { rule, region, country, at: event.at })
  ) {
    run.report.add({
      code: 'DECISION_DIFFERS',
      ...about,
      message:
        "Expected the rule the event names to place the event's country in its region at its time, found that the named policy version says otherwise.",
    });
  }
  for (const site of sitesOfEvent(run, event)) {
    if (run.siteNumbers.has(site) || run.unread.has(site)) continue;
    run.unread.add(site);
    run.report.add({
      code: 'SITE_NOT_READ',
      site,
      message:
        'Expected to be able to read every site that events name, found one that is not configured here; its objects were not checked.',
    });
  }
}

/** Those that the event's policy names for its region; where it is unknown, those that the event names. */
function sitesOfEvent(
  run: Run,
  { data: { decision, placements } }: StoredEvent,
): readonly string[] {
  return [
    ...new Set(
      run.sitesOf(decision.policy.digest, decision.region) ?? placements.map(({ site }) => site),
    ),
  ];
}

async function learn(run: Run, policyDigest: string, region: string): Promise<void> {
  if (run.sitesOf(policyDigest, region) === undefined) await run.learn?.(policyDigest);
}

/** The events once more, those of the first reading only. */
async function readObjects(run: Run): Promise<void> {
  const chain = new AuditChain();
  for await (const bytes of run.trail.events()) {
    const event = decoded(bytes);
    if (event === undefined || chain.follow(event)?.code === 'POSITION_TWICE') continue;
    if (event.outcome !== 'stored' || !run.chain.isRead(event.position)) continue;
    if (!(await checkPlacements(run, event))) break;
  }
  await run.work.drain();
}

/** `false`: it is enough. */
async function checkPlacements(run: Run, event: StoredEvent): Promise<boolean> {
  const expected = sitesOfEvent(run, event);
  const {
    position: { offset },
  } = event;
  const partition = partitionOf(event.position);
  let left = expected.length;
  const checked = (): void => {
    left -= 1;
    if (left === 0) run.report.storedChecked += 1;
  };
  for (const site of expected) {
    const reader = run.sites[run.siteNumbers.get(site) ?? -1];
    if (reader === undefined) continue;
    const object = { site, partition, offset };
    if (run.progress.isChecked(object)) {
      checked();
      continue;
    }
    if (run.away.has(site)) continue;
    if (run.enough()) return false;
    const compared = run.progress.begins(object);
    const bytes =
      event.data.placements.find((placement) => placement.site === site)?.sealedBytes ??
      UNKNOWN_BYTES;
    await run.work.start(bytes, () =>
      atSite(run, reader, async () => {
        compared(await checkPlacement(run, reader, event));
        checked();
      }),
    );
  }
  return true;
}

async function checkPlacement(
  run: Run,
  reader: SiteReader,
  event: StoredEvent,
): Promise<readonly Difference[]> {
  const { submission, placements } = event.data;
  const key = objectKey(submission);
  const found = await reader.read(key);
  const faults = checkObject(
    found,
    event,
    placements.find(({ site }) => site === reader.site),
    run.readHeader,
  );
  if (faults.length === 0 && found !== undefined && run.open !== undefined) {
    const fault = await checkOpened(found.bytes, event, run.open);
    if (fault === undefined) run.report.opened += 1;
    else faults.push(fault);
  }
  const differences = faults.map((fault): Difference => ({
    ...fault,
    site: reader.site,
    key,
    position: formatPosition(event.position),
    submission,
  }));
  for (const difference of differences) run.report.add(difference);
  run.judged();
  return differences;
}

function followDuplicate(run: Survey, position: Position, { submission, of }: DuplicateData): void {
  const original = parsePosition(of);
  if (isStored(run, submission, original)) return;
  run.pending.push({ submission, position: formatPosition(position), of: original });
}

/** What only the whole trail shows. */
async function judgeTrail(run: Survey, before: Committed): Promise<void> {
  const { report, chain, pointers, trail } = run;
  for await (const bytes of trail.pointers()) {
    const invalid = pointers.addPointer(bytes);
    if (invalid !== undefined) report.add(invalid);
  }
  for await (const position of trail.lookupDifferences()) {
    report.add({
      code: 'LOOKUP_DIFFERS',
      position,
      message:
        "Expected the log's look-up tables to say of each audit event what the event says, found otherwise; what is listed or looked up by them misleads.",
    });
  }
  const after = await trail.committed();
  for (const difference of chain.mismatches(before, after)) report.add(difference);
  for (const difference of pointers.differences(chain, after)) report.add(difference);
  // An event read late may name a record that was appended after the listing.
  judgePending(run, before, await trail.end());
}

function judgePending(run: Survey, before: Committed, end: Committed): void {
  for (const { submission, position, of } of run.pending) {
    if (isStored(run, submission, of) || run.chain.isInFlight(of, before, end)) continue;
    run.report.add({
      code: 'DUPLICATE_OF_UNKNOWN',
      position,
      submission,
      message:
        'Expected the position a duplicate names to be where the same submission was stored, found no such event.',
    });
  }
}

/** Objects that no stored event claims: in flight, or where they should not be. */
async function judgeUnclaimed(run: Survey, before: Committed, end: Committed): Promise<void> {
  for (const { submission, sites, stored } of run.index.unclaimed()) {
    for (const number of sites) {
      const reader = run.sites[number];
      if (reader === undefined) continue;
      await run.work.start(UNKNOWN_BYTES, () =>
        atSite(run, reader, async () => {
          const found = await reader.read(objectKey(submission));
          run.judged();
          // Gone since it was listed: there is nothing left to explain.
          if (found === undefined) return;
          // A router writes metadata with the object: without, it is nobody's work in progress.
          const position = metadataOf(found)?.position;
          const inFlight =
            position !== undefined && run.chain.isInFlight(parsePosition(position), before, end);
          const fault = inFlight
            ? await judgeInFlight(run, reader, submission, found)
            : whyUnclaimed(stored);
          if (inFlight && fault === undefined) run.report.inFlight += 1;
          if (fault !== undefined)
            run.report.add({
              ...fault,
              site: reader.site,
              key: objectKey(submission),
              ...(position === undefined ? {} : { position }),
              submission,
            });
        }),
      );
    }
  }
  await run.work.drain();
}

async function judgeInFlight(
  run: Run,
  { site }: SiteReader,
  submission: string,
  found: FoundObject,
): Promise<Fault | undefined> {
  const belongs = ({ policyDigest, region }: SealedHeader): boolean =>
    run.sitesOf(policyDigest, region)?.includes(site) ?? false;
  const header = headerOf(run, found);
  if (header !== undefined) await learn(run, header.policyDigest, header.region);
  return checkInFlight(found, submission, belongs, run.readHeader);
}

function headerOf(run: Run, { bytes }: FoundObject): SealedHeader | undefined {
  try {
    return run.readHeader(bytes);
  } catch {
    // No sealed message; whoever judges it says so.
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

function isStored(run: Survey, submission: string, position: Position): boolean {
  return run.index.isStoredAt(submission, {
    partition: partitionNumber(run, position),
    offset: position.offset,
  });
}

function partitionNumber(run: Survey, position: Position): number {
  const name = partitionOf(position);
  const number = run.partitions.get(name) ?? run.partitions.size;
  run.partitions.set(name, number);
  return number;
}

/** `undefined`: no audit event. Whoever may write to the audit log controls it. */
function decoded(bytes: Buffer): AuditEvent | undefined {
  try {
    return decodeAuditEvent(bytes);
  } catch {
    return undefined;
  }
}

/** Whoever put it there chose the name, and it goes to a terminal. */
function printable(key: string): string {
  return key.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 256);
}
