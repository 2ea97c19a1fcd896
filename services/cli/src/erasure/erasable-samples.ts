import {
  ErasureIndex,
  SAMPLE_ACCESSED,
  SAMPLE_ERASED,
  custodyEventIn,
  decodeAuditEvent,
  erasable,
  isWhereEvent,
  sampleErased,
  sampleEvent,
  storedSample,
} from '@residency/contracts';
import type { ErasableSample, Erasures } from '@residency/contracts';
import { holding, unerasedSites } from '@residency/custody';
import type { Holding, SampleEvent, StoredSample } from '@residency/custody';
import { controlOf } from '../system/control-state.ts';
import { regionSites } from '../system/holdings.ts';
import type { RegionSites } from '../system/holdings.ts';
import type { System } from '../system/system.ts';
import { interruptible } from '../terminal/interruptible.ts';
import type { Session } from '../terminal/session.ts';

/** A `stored` event, as far as orders and holds need it. */
export interface FoundSample extends ErasableSample {
  readonly stored: StoredSample;
}

/** An `erased` event about one of them. */
export interface ErasedEntry {
  readonly sample: FoundSample;
  /** By the custodian's clock, milliseconds. */
  readonly at: number;
  readonly sequence: number;
  readonly order: string;
  readonly sites: readonly string[];
  /** The event, byte for byte. */
  readonly leaf: Buffer;
}

/** What custody logs say about one of them. */
export interface Custody {
  readonly events: SampleEvent[];
  readonly erased: ErasedEntry[];
  /** The end of the last access to it, milliseconds; 0: there was none. */
  accessedUntil: number;
}

/** The stored samples that `wanted` names, by position, and all that custody logs say about them. */
export async function erasableSamples(
  session: Session,
  system: System,
  wanted: (sample: ErasableSample) => boolean,
): Promise<ReadonlyMap<string, FoundSample>> {
  const found = new Map<string, FoundSample>();
  for await (const bytes of interruptible(session, system.auditRecords({ outcome: 'stored' }))) {
    const event = decodeAuditEvent(bytes);
    if (event.outcome !== 'stored') continue;
    const sample = erasable(event);
    if (!wanted(sample)) continue;
    const stored = storedSample(event);
    found.set(stored.position, { ...sample, stored });
  }
  return found;
}

export function regionsOf(samples: ReadonlyMap<string, FoundSample>): ReadonlySet<string> {
  return new Set([...samples.values()].map(({ stored }) => stored.region));
}

/** What the custody logs say about these samples, by position. */
export async function custodyOf(
  session: Session,
  system: System,
  samples: ReadonlyMap<string, FoundSample>,
): Promise<ReadonlyMap<string, Custody>> {
  const all = new Map<string, Custody>();
  for (const position of samples.keys())
    all.set(position, { events: [], erased: [], accessedUntil: 0 });
  for (const region of regionsOf(samples))
    for await (const { value } of interruptible(session, system.custodyLog(region))) {
      const event = custodyEventIn(value);
      if (event === undefined || value === null || !('of' in event.data)) continue;
      const { of } = event.data;
      if (of === undefined) continue;
      const [custody, sample] = [all.get(of), samples.get(of)];
      if (custody === undefined || sample === undefined) continue;
      if (isWhereEvent(event)) custody.events.push(sampleEvent(event));
      if (event.type === SAMPLE_ACCESSED)
        custody.accessedUntil = Math.max(custody.accessedUntil, Date.parse(event.data.until));
      if (event.type !== SAMPLE_ERASED) continue;
      const { order, sites } = sampleErased(event);
      custody.erased.push({
        sample,
        at: event.at,
        sequence: event.sequence,
        order,
        sites,
        leaf: value,
      });
    }
  return all;
}

export function heldBy({ stored }: FoundSample, custody: Custody | undefined): Holding {
  return holding(stored, custody?.events ?? []).holding;
}

/** True once every site in service has its tombstone. */
export function isErased(held: Holding, sites: RegionSites | undefined): boolean {
  return held.erased !== undefined && unerasedSites(held, sites?.serving ?? []).length === 0;
}

/** Sites that do not serve and keep a copy. */
export interface KeptIn {
  /** Out of service: they erase it when they are taken in again. */
  readonly out: readonly string[];
  /** Nobody expects them back: their owner deletes it. */
  readonly retired: readonly string[];
}

export function keptIn(held: Holding, sites: RegionSites | undefined): KeptIn {
  const kept = [...held.copies, ...held.unequal]
    .map(({ site }) => site)
    .filter((site) => sites?.serving.includes(site) !== true);
  const isRetired = (site: string): boolean => sites?.service.retired.has(site) === true;
  return {
    out: kept.filter((site) => !isRetired(site)),
    retired: kept.filter((site) => isRetired(site)),
  };
}

/**
 * Of samples that are ordered to be erased, the positions of those that are lost and that another
 * stored sample of the identity keeps from getting a tombstone: nothing of them is left to erase
 * (docs/decisions/0054). Reads the audit log if one of the samples is lost and not erased.
 */
export async function lostBesideAnother(
  session: Session,
  system: System,
  {
    samples,
    custody,
    erasures,
  }: {
    readonly samples: ReadonlyMap<string, FoundSample>;
    readonly custody: ReadonlyMap<string, Custody>;
    readonly erasures: Erasures | undefined;
  },
): Promise<ReadonlySet<string>> {
  const index = new ErasureIndex(erasures);
  const isDue = (sample: ErasableSample): boolean =>
    index.orderOf(sample) !== undefined && index.holdOf(sample) === undefined;
  const lost = [...samples].filter(([position, sample]) => {
    const held = heldBy(sample, custody.get(position));
    return held.lost !== undefined && held.erased === undefined && isDue(sample);
  });
  if (lost.length === 0) return new Set();
  const names = new Set(lost.map(([, sample]) => nameOf(sample)));
  const others = await erasableSamples(
    session,
    system,
    (sample) => names.has(nameOf(sample)) && !isDue(sample),
  );
  const standing = new Set([...others.values()].map((sample) => nameOf(sample)));
  return new Set(
    lost.filter(([, sample]) => standing.has(nameOf(sample))).map(([position]) => position),
  );
}

function nameOf({ region, submission }: ErasableSample): string {
  return `${region}/${submission}`;
}

/**
 * How many of these are erased in every site in service, or lost with nothing left to erase, and how
 * many others are on hold.
 */
export async function countErased(
  session: Session,
  system: System,
  samples: ReadonlyMap<string, FoundSample>,
): Promise<{ readonly erased: number; readonly held: number }> {
  const control = await controlOf(system);
  const holds = new ErasureIndex(control.erasures);
  const sites = await regionSites(session, system, { control, regions: regionsOf(samples) });
  const custody = await custodyOf(session, system, samples);
  const { erasures } = control;
  const gone = await lostBesideAnother(session, system, { samples, custody, erasures });
  let [erased, held] = [0, 0];
  for (const [position, sample] of samples)
    if (
      gone.has(position) ||
      isErased(heldBy(sample, custody.get(position)), sites.get(sample.stored.region))
    )
      erased += 1;
    else if (holds.holdOf(sample) !== undefined) held += 1;
  return { erased, held };
}
