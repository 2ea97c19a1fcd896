import { readLog, walkSites } from './on-disk.ts';
import type { AuditRow, IntakeRow, LogRows, ObjectOnDisk } from './on-disk.ts';
import { SITES_BY_REGION } from './traffic.ts';
import type { Expectation } from './traffic.ts';

/** What a data directory is found guilty of; each a sentence. All empty: every promise held. */
export interface Judgement {
  readonly records: number;
  readonly objects: number;
  readonly lost: readonly string[];
  readonly twice: readonly string[];
  readonly wrongRegion: readonly string[];
  /** A wrong outcome, a broken chain, something left behind. */
  readonly other: readonly string[];
}

/** Judges a data directory at rest by what stands on the disk and what each record must come to; asks nothing of the product. */
export async function judgeDataDirectory(directory: string, expectation: (row: IntakeRow) => Expectation): Promise<Judgement> {
  const log = readLog(directory);
  const { objects, temporaries } = await walkSites(directory);
  const events = Map.groupBy(log.audit, ({ offset }) => offset);
  const intake = log.intake.map(({ offset }) => offset);
  const verdict = { lost: [] as string[], twice: [] as string[], wrongRegion: [] as string[], other: temporaries.map((path) => `left behind: ${path}`) };
  if (intake.some((offset, index) => offset !== index)) verdict.lost.push('the intake log has a hole');
  if (log.settled !== (intake.at(-1) ?? null)) verdict.other.push(`progress stands at ${String(log.settled)}, the log ends at ${String(intake.at(-1))}`);
  const wanted = new Map<string, string>();
  const owners = new Map<string, Owner>();
  for (const row of log.intake) {
    const found = events.get(row.offset) ?? [];
    if (found.length === 0) verdict.lost.push(`offset ${row.offset} has no audit event`);
    if (found.length > 1) verdict.twice.push(`offset ${row.offset} has ${found.length} audit events`);
    const [event] = found;
    if (event === undefined) continue;
    const must = outcomeOf(log.name, row, expectation(row), owners);
    if (said(event) !== must) verdict.other.push(`offset ${row.offset}: expected ${must}, found ${said(event)}`);
    for (const site of must.startsWith('stored ') ? SITES_BY_REGION[must.slice('stored '.length)] ?? [] : []) wanted.set(`${site}/${String(event.data.submission)}`, sealedAt(event, site));
  }
  verdict.other.push(...chainFaults(log));
  judgeObjects(objects, wanted, verdict);
  return { records: intake.length, objects: objects.length, ...verdict };
}

export function guilty({ lost, twice, wrongRegion, other }: Judgement): readonly string[] {
  return [...lost.map((one) => `lost: ${one}`), ...twice.map((one) => `twice: ${one}`), ...wrongRegion.map((one) => `wrong region: ${one}`), ...other];
}

interface Owner {
  readonly position: string;
  readonly sampleSha256: string;
  readonly country: string;
}

/** The first record of an identity in a region owns it; a later one is its duplicate or its rival. */
function outcomeOf(log: string, row: IntakeRow, expected: Expectation, owners: Map<string, Owner>): string {
  if (expected.kind !== 'placeable') return `${expected.kind} ${expected.reason}`;
  const { identity, region, sampleSha256, country } = expected;
  const key = `${region} ${identity}`;
  const owner = owners.get(key);
  if (owner === undefined) {
    owners.set(key, { position: `${log}/threat.samples/0/${row.offset}`, sampleSha256, country });
    return `stored ${region}`;
  }
  return owner.sampleSha256 === sampleSha256 && owner.country === country ? `duplicate of ${owner.position}` : 'quarantined IDENTITY_CONFLICT';
}

function said({ outcome, data }: AuditRow): string {
  if (outcome === 'stored') return `stored ${(data['decision'] as { readonly region: string }).region}`;
  if (outcome === 'duplicate') return `duplicate of ${String(data.of)}`;
  return `${outcome} ${String(data.reason)}`;
}

function sealedAt({ data }: AuditRow, site: string): string {
  return ((data['placements'] ?? []) as { readonly site: string; readonly sealedSha256: string }[]).find((placement) => placement.site === site)?.sealedSha256 ?? '';
}

/** Events stand in the order of what they are about, and each names the one before it. */
function chainFaults({ audit }: LogRows): readonly string[] {
  return audit.flatMap((event, index) => {
    const before = audit[index - 1];
    const must = before === undefined ? null : String(before.offset);
    return event.data.previous === must ? [] : [`offset ${event.offset} names ${String(event.data.previous)} as the one before it, not ${String(must)}`];
  });
}

function judgeObjects(objects: readonly ObjectOnDisk[], wanted: ReadonlyMap<string, string>, verdict: { readonly lost: string[]; readonly wrongRegion: string[]; readonly other: string[] }): void {
  const found = new Map(objects.map((object) => [`${object.site}/${object.submission}`, object]));
  for (const [name, digest] of wanted) {
    const object = found.get(name);
    if (object === undefined) verdict.lost.push(`${name} has no object`);
    else if (object.sha256 !== digest) verdict.other.push(`${name} holds other bytes than its event says`);
  }
  for (const [name, { submission, path }] of found) {
    if (path !== `samples/${submission.slice(0, 2)}/${submission.slice(2, 4)}/${submission}`) verdict.other.push(`${name} stands under ${path}`);
    if (!wanted.has(name)) verdict.wrongRegion.push(`${name} must not be there`);
  }
}
