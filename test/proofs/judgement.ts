import { readLog, walkSites } from './on-disk.ts';
import type { AuditRow, IntakeRow, ObjectOnDisk } from './on-disk.ts';
import { SITES_BY_REGION } from './traffic.ts';
import type { Expectation } from './traffic.ts';

/** The faults of a system, each as a sentence. All empty: every promise was kept. */
export interface Judgement {
  readonly records: number;
  readonly objects: number;
  readonly lost: readonly string[];
  readonly twice: readonly string[];
  readonly wrongRegion: readonly string[];
  /** Wrong outcomes, broken chains, leftovers. */
  readonly other: readonly string[];
}

/** The observable state of a system at rest. */
export interface Evidence {
  /** The log's name. */
  readonly name: string;
  /** In log order within each partition, like the audit events. */
  readonly intake: readonly IntakeRow[];
  readonly audit: readonly Omit<AuditRow, 'bytes'>[];
  /** The last settled offset of each partition; `null` or absent: none. */
  readonly settled: ReadonlyMap<number, number | null>;
  readonly objects: readonly ObjectOnDisk[];
  readonly leftBehind: readonly string[];
}

type Verdict = { readonly [Kind in 'lost' | 'twice' | 'wrongRegion' | 'other']: string[] };
type Event = Evidence['audit'][number];

/** An intake record, its expected result without other records, and its events. */
interface Case {
  readonly row: IntakeRow;
  readonly position: string;
  readonly expected: Expectation;
  readonly events: readonly Event[];
}

/**
 * Judges a data directory at rest by its files and by the expected result of each record. Uses no
 * code of the product.
 */
export async function judgeDataDirectory(
  directory: string,
  expectation: (row: IntakeRow) => Expectation,
): Promise<Judgement> {
  const { settled, ...log } = readLog(directory);
  const { objects, temporaries } = await walkSites(directory);
  return judge(
    { ...log, settled: new Map([[0, settled]]), objects, leftBehind: temporaries },
    expectation,
  );
}

export function judge(evidence: Evidence, expectation: (row: IntakeRow) => Expectation): Judgement {
  const { name, intake, audit, objects, leftBehind } = evidence;
  const verdict: Verdict = {
    lost: [],
    twice: [],
    wrongRegion: [],
    other: leftBehind.map((path) => `left behind: ${path}`),
  };
  const events = Map.groupBy(audit, ({ id }) => id);
  const cases = intake.map((row): Case => {
    const position = `${name}/threat.samples/${row.partition}/${row.offset}`;
    return { row, position, expected: expectation(row), events: events.get(position) ?? [] };
  });
  judgeLog(evidence, verdict);
  const owners = ownersOf(cases);
  const wanted = new Map<string, readonly string[]>();
  for (const one of cases) {
    const must = outcomeOf(one, owners);
    const event = judgeCase(one, must, verdict);
    if (event === undefined || !must.startsWith('stored ')) continue;
    for (const site of SITES_BY_REGION[must.slice('stored '.length)] ?? [])
      wanted.set(`${site}/${String(event.data.submission)}`, sealedAt(event, site));
  }
  const positions = new Set(cases.map(({ position }) => position));
  verdict.other.push(
    ...audit
      .filter(({ id }) => !positions.has(id))
      .map(({ id }) => `${id} has an audit event and no record`),
  );
  judgeObjects(objects, wanted, verdict);
  return { records: intake.length, objects: objects.length, ...verdict };
}

export function guilty({ lost, twice, wrongRegion, other }: Judgement): readonly string[] {
  return [
    ...lost.map((one) => `lost: ${one}`),
    ...twice.map((one) => `twice: ${one}`),
    ...wrongRegion.map((one) => `wrong region: ${one}`),
    ...other,
  ];
}

/** Judges each partition by itself: no hole, progress at its end, one chain. */
export function judgeLog(
  { intake, audit, settled }: Pick<Evidence, 'intake' | 'audit' | 'settled'>,
  verdict: Pick<Verdict, 'lost' | 'other'>,
): void {
  const events = Map.groupBy(audit, ({ partition }) => partition);
  for (const [partition, rows] of Map.groupBy(intake, (row) => row.partition)) {
    if (rows.some(({ offset }, index) => offset !== index))
      verdict.lost.push(`the intake log has a hole in partition ${partition}`);
    const [end, progress] = [rows.at(-1)?.offset ?? null, settled.get(partition) ?? null];
    if (progress !== end)
      verdict.other.push(
        `progress of partition ${partition} stands at ${String(progress)}, the log ends at ${String(end)}`,
      );
  }
  for (const chain of events.values()) verdict.other.push(...chainFaults(chain));
}

function judgeCase(
  { position, row, expected, events }: Case,
  must: string,
  verdict: Verdict,
): Event | undefined {
  const [event] = events;
  if (event === undefined) {
    verdict.lost.push(`${position} has no audit event`);
    return undefined;
  }
  if (events.length > 1) verdict.twice.push(`${position} has ${events.length} audit events`);
  if (event.at !== row.at)
    verdict.other.push(`${position} was appended at ${row.at}, its event says ${event.at}`);
  const found = said(event);
  if (
    found === must ||
    (isUnreadable(expected) && must.startsWith('duplicate') && found === CONFLICT)
  )
    return event;
  if (found.startsWith('stored ') && !must.startsWith('stored '))
    verdict.twice.push(`${position} was stored, expected ${must}`);
  else
    verdict.other.push(
      // A conflict without an owner is one with an object that could not be read.
      `${position}: expected ${must}, found ${found}, which names ${event.data.of ?? 'no owner'}`,
    );
  return event;
}

/**
 * The owner of each identity in each region. Within a partition the first record is the owner.
 * Between partitions either may be faster; then the stored record is the owner.
 */
function ownersOf(cases: readonly Case[]): ReadonlyMap<string, Case> {
  const owners = new Map<string, Case>();
  const firsts = new Map<string, Set<number>>();
  for (const one of cases) {
    const key = identityOf(one);
    if (key === undefined) continue;
    const partitions = firsts.get(key) ?? new Set();
    firsts.set(key, partitions);
    if (partitions.has(one.row.partition)) continue;
    partitions.add(one.row.partition);
    const owner = owners.get(key);
    if (owner === undefined || (!storedBy(owner) && storedBy(one))) owners.set(key, one);
  }
  return owners;
}

function identityOf({ expected }: Case): string | undefined {
  return expected.kind === 'placeable' ? `${expected.region} ${expected.identity}` : undefined;
}

function storedBy({ events: [event] }: Case): boolean {
  return event?.outcome === 'stored';
}

/**
 * The owner of an identity in a region is stored there. Another record is its duplicate or in
 * conflict with it.
 */
function outcomeOf(one: Case, owners: ReadonlyMap<string, Case>): string {
  const { expected } = one;
  if (expected.kind !== 'placeable') return `${expected.kind} ${expected.reason}`;
  const owner = owners.get(identityOf(one) ?? '');
  if (owner === undefined || owner === one) return `stored ${expected.region}`;
  const { position, expected: first } = owner;
  return first.kind === 'placeable' &&
    first.sampleSha256 === expected.sampleSha256 &&
    first.country === expected.country
    ? `duplicate of ${position}`
    : CONFLICT;
}

const CONFLICT = 'quarantined IDENTITY_CONFLICT';

function isUnreadable(expected: Expectation): boolean {
  return expected.kind === 'placeable' && expected.unreadable === true;
}

function said({ outcome, data }: Event): string {
  if (outcome === 'stored')
    return `stored ${(data['decision'] as { readonly region: string }).region}`;
  if (outcome === 'duplicate') return `duplicate of ${String(data.of)}`;
  return `${outcome} ${String(data.reason)}`;
}

/**
 * The digests that the site's object may have: the placement's, or the first placement's, of which
 * a custodian makes the copies that are owed.
 */
function sealedAt({ data }: Event, site: string): readonly string[] {
  const placements = (data['placements'] ?? []) as {
    readonly site: string;
    readonly sealedSha256: string;
  }[];
  return [placements.find((placement) => placement.site === site), placements[0]].flatMap(
    (placement) => (placement === undefined ? [] : [placement.sealedSha256]),
  );
}

/** Events must be in the order of their records, and each must name the one before it. */
function chainFaults(chain: readonly Event[]): readonly string[] {
  return chain.flatMap((event, index) => {
    const before = chain[index - 1];
    const must = before === undefined ? null : String(before.offset);
    return event.data.previous === must
      ? []
      : [
          `${event.id} names ${String(event.data.previous)} as the one before it, not ${String(must)}`,
        ];
  });
}

function judgeObjects(
  objects: readonly ObjectOnDisk[],
  wanted: ReadonlyMap<string, readonly string[]>,
  verdict: Verdict,
): void {
  const found = new Map(objects.map((object) => [`${object.site}/${object.submission}`, object]));
  for (const [name, digests] of wanted) {
    const object = found.get(name);
    if (object === undefined) verdict.lost.push(`${name} has no object`);
    else if (!digests.includes(object.sha256))
      verdict.other.push(`${name} holds other bytes than its event says`);
  }
  for (const { site, submission, path, lawfulPath } of objects)
    if (path !== lawfulPath) verdict.other.push(`${site}/${submission} stands under ${path}`);
  for (const name of found.keys()) {
    if (!wanted.has(name)) verdict.wrongRegion.push(`${name} must not be there`);
  }
}
