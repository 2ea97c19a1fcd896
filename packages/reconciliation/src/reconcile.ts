import { DEFAULT_LIMITS, SITE_MARKER_KEY, decodeAuditEvent, formatPosition, objectKey, parsePosition, submissionOfKey } from '@residency/contracts';
import type { AuditEvent, DuplicateData, Position } from '@residency/contracts';
import { AuditChain, partitionOf } from './audit-chain.ts';
import type { Committed } from './audit-chain.ts';
import { BoundedWork } from './bounded-work.ts';
import { checkInFlight, checkObject, checkOpened, metadataOf } from './check-object.ts';
import type { Fault, StoredEvent } from './check-object.ts';
import type { AuditTrail } from './ports/audit-trail.ts';
import type { OpenSealed, ReadSealedHeader, SealedHeader } from './ports/sealed-reader.ts';
import type { SiteReader } from './ports/site-reader.ts';
import { QuarantinePointers } from './quarantine-pointers.ts';
import { ReportDraft } from './report.ts';
import type { ReconciliationReport } from './report.ts';
import { SubmissionIndex } from './submission-index.ts';

/** What an event says was decided: `rule` placed `country` in `region` at `at`. */
export interface ClaimedDecision {
  readonly rule: string;
  readonly region: string;
  readonly country: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

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
}

interface Run extends ReconcileDeps {
  readonly report: ReportDraft;
  readonly index: SubmissionIndex;
  readonly chain: AuditChain;
  readonly pointers: QuarantinePointers;
  readonly work: BoundedWork;
  readonly partitions: Map<string, number>;
  /** Duplicates whose original was not read yet: it stands in a partition read later, or is in flight. */
  readonly pending: { readonly submission: string; readonly position: string; readonly of: Position }[];
  readonly unread: Set<string>;
  readonly siteNumbers: ReadonlyMap<string, number>;
  readonly progress: (done: number, total?: number) => void;
  checked: number;
}

// An object without event announces no size: assume the largest.
const UNKNOWN_BYTES = DEFAULT_LIMITS.sampleBytes;
const DEFAULTS = { concurrency: 16, bytesInWork: 4 * UNKNOWN_BYTES, maxListed: 1_000 };

/**
 * Compares what stands in the sites with what the audit events say, while routers run. A router creates a record's
 * objects first and makes its event and the committed position visible at one instant afterwards; nothing is changed or
 * deleted. From that, and from the order sites - end - committed - events - pointers - committed - end, follows:
 *
 * - A listed object was there before `before` was read. Its record is either at or below `before`, then its event was
 *   visible when the events were begun, and that it was not among them is a finding; or beyond, then the record may
 *   still be in work: in flight, unless its partition was read as far as that all the same. With `before` read after
 *   the events, a record settled in between would be accused; with `before` read ahead of the listing, a record settled
 *   in between without an event would be excused. A record is in the log before its object is made: what claims a
 *   position at or beyond the end read after the listing is nobody's work.
 * - An event's objects are read after the event: whatever it names must stand there by then, also what the listing
 *   was too early for. So a missing object is a finding whatever the order, and the listing only says what to look for an event of.
 * - A pointer appears with its event: all of the events read are among the pointers read after them.
 * - The last event read of a partition is not before `before` and not beyond `after`.
 *
 * Memory: `SubmissionIndex` for each identity, objects in work, capped lists, one entry for each duplicate still without
 * its original and one for each quarantined event. Rejects with what a port threw: half a reconciliation proves nothing.
 */
export async function reconcile(deps: ReconcileDeps, options: ReconcileOptions = {}): Promise<ReconciliationReport> {
  const run = begin(deps, options);
  for (const [number, site] of deps.sites.entries()) await listSite(run, site, number);
  for (const name of deps.foreignSites) run.report.add({ code: 'FOREIGN_SITE', site: printable(name), message: 'Expected only sites that a policy names, found something else among them; see who put it there.' });
  const end = await deps.trail.end();
  const before = await deps.trail.committed();
  for await (const bytes of deps.trail.events()) await followEvent(run, bytes);
  await run.work.drain();
  await judgeTrail(run, before);
  await judgeUnclaimed(run, before, end);
  return run.report.finish();
}

function begin(deps: ReconcileDeps, options: ReconcileOptions): Run {
  return {
    ...deps,
    report: new ReportDraft(options.maxListed ?? DEFAULTS.maxListed),
    index: new SubmissionIndex(deps.sites.length),
    chain: new AuditChain(),
    pointers: new QuarantinePointers(),
    work: new BoundedWork({ concurrency: options.concurrency ?? DEFAULTS.concurrency, bytes: options.bytesInWork ?? DEFAULTS.bytesInWork }),
    partitions: new Map(),
    pending: [],
    unread: new Set(),
    siteNumbers: new Map(deps.sites.map(({ site }, number) => [site, number])),
    progress: options.onProgress ?? (() => undefined),
    checked: 0,
  };
}

async function listSite(run: Run, reader: SiteReader, number: number): Promise<void> {
  const { site } = reader;
  for await (const { key, foreign } of reader.list()) {
    if (key === SITE_MARKER_KEY && !foreign) continue;
    const submission = foreign ? undefined : submissionOfKey(key);
    if (submission === undefined) {
      run.report.add({ code: 'FOREIGN_OBJECT', site, key: printable(key), message: 'Expected only sample objects in the site, found something no router writes; see who else may write there.' });
    } else if (run.index.addListed(submission, number)) {
      run.report.objects += 1;
      run.progress(run.report.objects);
    }
  }
}

async function followEvent(run: Run, bytes: Buffer): Promise<void> {
  let event: AuditEvent;
  try {
    event = decodeAuditEvent(bytes);
  } catch {
    run.report.add({ code: 'AUDIT_EVENT_INVALID', message: 'Expected an audit event as in docs/formats/audit-event.md, found a record that is none; see who else may write to the audit log.' });
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

async function followStored(run: Run, event: StoredEvent): Promise<void> {
  const { submission, decision, placements } = event.data;
  const position = formatPosition(event.position);
  const expected = expectedSites(run, event);
  const numbers = expected.map((site) => run.siteNumbers.get(site)).filter((number) => number !== undefined);
  const elsewhere = run.index.addStored(submission, { partition: partitionNumber(run, event.position), offset: event.position.offset }, numbers);
  if (elsewhere) run.report.alsoIn.add({ submission, position, region: decision.region });
  let left = numbers.length;
  for (const number of numbers) {
    const reader = run.sites[number];
    if (reader === undefined) continue;
    const bytes = placements.find(({ site }) => site === reader.site)?.sealedBytes ?? UNKNOWN_BYTES;
    await run.work.start(bytes, async () => {
      await checkPlacement(run, reader, event, position);
      left -= 1;
      if (left === 0 && numbers.length === expected.length) run.report.storedChecked += 1;
    });
  }
}

/** The sites the event's policy names for its region; what is wrong with the placements is noted on the way. */
function expectedSites(run: Run, event: StoredEvent): readonly string[] {
  const { submission, decision, placements } = event.data;
  const about = { position: formatPosition(event.position), submission };
  const placed = placements.map(({ site }) => site);
  const sites = run.sitesOf(decision.policy.digest, decision.region);
  if (sites === undefined) {
    run.report.add({ code: 'POLICY_UNKNOWN', ...about, message: 'Expected a policy version that has the decided region under the digest the event names, found none; its sites are taken from the event.' });
  } else if (sites.length !== placements.length || placements.some(({ site, key }, i) => site !== sites[i] || key !== objectKey(submission))) {
    run.report.add({ code: 'PLACEMENTS_INCOMPLETE', ...about, message: "Expected one placement at the submission's key in each site of the region, in the policy's order, found others." });
  }
  const { rule, region, policy } = decision;
  if (sites !== undefined && !run.ruleHolds(policy.digest, { rule, region, country: event.data.country, at: event.at })) {
    run.report.add({ code: 'DECISION_DIFFERS', ...about, message: "Expected the rule the event names to place the event's country in its region at its time, found that the named policy version says otherwise." });
  }
  for (const site of sites ?? placed) {
    if (run.siteNumbers.has(site) || run.unread.has(site)) continue;
    run.unread.add(site);
    run.report.add({ code: 'SITE_NOT_READ', site, message: 'Expected to be able to read every site that events name, found one that is not configured here; its objects were not checked.' });
  }
  return [...new Set(sites ?? placed)];
}

async function checkPlacement(run: Run, reader: SiteReader, event: StoredEvent, position: string): Promise<void> {
  const { submission, placements } = event.data;
  const key = objectKey(submission);
  const found = await reader.read(key);
  const faults = checkObject(found, event, placements.find(({ site }) => site === reader.site), run.readHeader);
  if (faults.length === 0 && found !== undefined && run.open !== undefined) {
    const fault = await checkOpened(found.bytes, event, run.open);
    if (fault === undefined) run.report.opened += 1;
    else faults.push(fault);
  }
  for (const fault of faults) run.report.add({ ...fault, site: reader.site, key, position, submission });
  step(run);
}

function followDuplicate(run: Run, position: Position, { submission, of }: DuplicateData): void {
  const original = parsePosition(of);
  if (isStored(run, submission, original)) return;
  run.pending.push({ submission, position: formatPosition(position), of: original });
}

/** What only the whole trail shows. */
async function judgeTrail(run: Run, before: Committed): Promise<void> {
  const { report, chain, pointers, trail } = run;
  for await (const bytes of trail.pointers()) {
    const invalid = pointers.addPointer(bytes);
    if (invalid !== undefined) report.add(invalid);
  }
  for await (const position of trail.lookupDifferences()) {
    report.add({ code: 'LOOKUP_DIFFERS', position, message: "Expected the log's look-up tables to say of each audit event what the event says, found otherwise; what is listed or looked up by them misleads." });
  }
  const after = await trail.committed();
  for (const difference of chain.mismatches(before, after)) report.add(difference);
  for (const difference of pointers.differences(chain, after)) report.add(difference);
  // An event read late may name a record that was appended after the listing.
  judgePending(run, before, await trail.end());
}

function judgePending(run: Run, before: Committed, end: Committed): void {
  for (const { submission, position, of } of run.pending) {
    if (isStored(run, submission, of) || run.chain.isInFlight(of, before, end)) continue;
    run.report.add({ code: 'DUPLICATE_OF_UNKNOWN', position, submission, message: 'Expected the position a duplicate names to be where the same submission was stored, found no such event.' });
  }
}

/** Objects that no stored event claims: in flight, or where they should not be. */
async function judgeUnclaimed(run: Run, before: Committed, end: Committed): Promise<void> {
  for (const { submission, sites, stored } of run.index.unclaimed()) {
    for (const number of sites) {
      const reader = run.sites[number];
      if (reader === undefined) continue;
      await run.work.start(UNKNOWN_BYTES, async () => {
        const found = await reader.read(objectKey(submission));
        step(run);
        // Gone since it was listed: there is nothing left to explain.
        if (found === undefined) return;
        // A router writes metadata with the object: without, it is nobody's work in progress.
        const position = metadataOf(found)?.position;
        const inFlight = position !== undefined && run.chain.isInFlight(parsePosition(position), before, end);
        const fault = inFlight ? checkInFlight(found, submission, belongsTo(run, reader.site), run.readHeader) : whyUnclaimed(stored);
        if (inFlight && fault === undefined) run.report.inFlight += 1;
        if (fault !== undefined) run.report.add({ ...fault, site: reader.site, key: objectKey(submission), ...(position === undefined ? {} : { position }), submission });
      });
    }
  }
  await run.work.drain();
}

function belongsTo(run: Run, site: string): (header: SealedHeader) => boolean {
  return ({ policyDigest, region }) => run.sitesOf(policyDigest, region)?.includes(site) ?? false;
}

function whyUnclaimed(stored: boolean): Fault {
  return stored
    ? { code: 'WRONG_REGION', message: 'Expected the submission only in the sites of the regions its events decided, found it here too.' }
    : { code: 'OBJECT_WITHOUT_EVENT', message: 'Expected an audit event that stored this object, found none, and its record is settled or not in this log.' };
}

function isStored(run: Run, submission: string, position: Position): boolean {
  return run.index.isStoredAt(submission, { partition: partitionNumber(run, position), offset: position.offset });
}

function partitionNumber(run: Run, position: Position): number {
  const name = partitionOf(position);
  const number = run.partitions.get(name) ?? run.partitions.size;
  run.partitions.set(name, number);
  return number;
}

function step(run: Run): void {
  run.checked += 1;
  run.progress(run.checked, Math.max(run.checked, run.report.objects));
}

/** Whoever put it there chose the name, and it goes to a terminal. */
function printable(key: string): string {
  return key.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 256);
}
