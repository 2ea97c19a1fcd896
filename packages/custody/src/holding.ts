import { defined } from '@residency/defined';

/** An object in a site, as an event names it. */
export interface PlacedCopy {
  readonly site: string;
  /** Lower-case hex SHA-256 of the sealed message. */
  readonly sealedSha256: string;
  readonly sealedBytes: number;
  readonly versionId?: string | undefined;
}

/** What the fold needs of a `stored` event. */
export interface StoredSample {
  /** `<log>/<topic>/<partition>/<offset>` of the intake record. */
  readonly position: string;
  readonly submission: string;
  readonly region: string;
  /** At least one, in the order of the event. The first one's ciphertext is the holding's. */
  readonly placements: readonly [PlacedCopy, ...PlacedCopy[]];
}

/** What was done to a stored sample (docs/formats/custody.md). */
export interface SampleCopied {
  readonly type: 'copied';
  /** The position of the `stored` event. */
  readonly of: string;
  readonly submission: string;
  readonly region: string;
  readonly copy: PlacedCopy;
  /** The copy was made anew by an order: the site may have had it before. */
  readonly isRepair?: boolean;
}

/** Sites have a tombstone in the place of a stored sample. */
export interface SampleErased {
  readonly type: 'erased';
  /** The position of the `stored` event. */
  readonly of: string;
  readonly submission: string;
  readonly region: string;
  /** The order by which it was erased. */
  readonly order: string;
  readonly sites: readonly string[];
}

/** No site of the region has a good copy, and a person gave the sample up. */
export interface SampleLost {
  readonly type: 'lost';
  /** The position of the `stored` event. */
  readonly of: string;
  readonly submission: string;
  readonly region: string;
  /** The order by which it was given up. */
  readonly order: string;
  /** The sites that were read. */
  readonly sites: readonly string[];
}

/** A custody event that says where a stored sample is. */
export type SampleEvent = SampleCopied | SampleErased | SampleLost;

/** Where a stored sample is, after the custody events so far. */
export interface Holding {
  readonly position: string;
  readonly submission: string;
  readonly region: string;
  readonly sealedSha256: string;
  readonly sealedBytes: number;
  /** Sites that have this ciphertext; of an erased sample those where it was not erased yet. */
  readonly copies: readonly PlacedCopy[];
  /**
   * Sites to which an event gave another ciphertext of the same sample. They owe a copy too, until
   * a custodian has replaced it.
   */
  readonly unequal: readonly PlacedCopy[];
  /** The order by which it was erased, and the sites that have a tombstone; absent: it was not. */
  readonly erased?: { readonly order: string; readonly sites: readonly string[] };
  /** The order by which it was given up; absent: it was not. It then has no copy, and none is owed. */
  readonly lost?: { readonly order: string };
}

export const CUSTODY_FINDING_CODES = [
  'COPY_OF_ANOTHER',
  'COPY_DIFFERS',
  'COPIED_TWICE',
  'COPIED_AFTER_ERASURE',
  'COPIED_AFTER_LOSS',
  'LOST_AFTER_ERASURE',
  'LOST_TWICE',
] as const;

/** A custody event that cannot follow the ones before it. It changes nothing. */
export interface CustodyFinding {
  readonly code: (typeof CUSTODY_FINDING_CODES)[number];
  readonly position: string;
  readonly site: string;
}

export interface Folded {
  readonly holding: Holding;
  readonly findings: readonly CustodyFinding[];
}

/** The holding right after a `stored` event. */
export function holdingOf({ position, submission, region, placements }: StoredSample): Holding {
  const [{ sealedSha256, sealedBytes }] = placements;
  const [first, ...others] = placements.map(copyOf);
  const equal = others.filter((copy) => copy.sealedSha256 === sealedSha256);
  return {
    position,
    submission,
    region,
    sealedSha256,
    sealedBytes,
    copies: [first ?? copyOf(placements[0]), ...equal],
    unequal: others.filter((copy) => copy.sealedSha256 !== sealedSha256),
  };
}

/** The holding after one more event, or the reason why the event cannot follow. */
export function evolveHolding(
  holding: Holding,
  event: SampleEvent,
): { readonly holding: Holding; readonly finding?: CustodyFinding } {
  const finding = (code: CustodyFinding['code']) => ({
    holding,
    finding: { code, position: event.of, site: siteOf(event) },
  });
  const { of, submission, region } = event;
  if (of !== holding.position || submission !== holding.submission || region !== holding.region)
    return finding('COPY_OF_ANOTHER');
  if (event.type === 'erased') return { holding: erase(holding, event) };
  if (event.type === 'lost') {
    if (holding.erased !== undefined) return finding('LOST_AFTER_ERASURE');
    if (holding.lost !== undefined) return finding('LOST_TWICE');
    return { holding: { ...holding, copies: [], unequal: [], lost: { order: event.order } } };
  }
  const { copy, isRepair = false } = event;
  if (copy.sealedSha256 !== holding.sealedSha256 || copy.sealedBytes !== holding.sealedBytes)
    return finding('COPY_DIFFERS');
  if (holding.erased !== undefined) return finding('COPIED_AFTER_ERASURE');
  if (holding.lost !== undefined) return finding('COPIED_AFTER_LOSS');
  if (holding.copies.some(({ site }) => site === copy.site))
    return isRepair ? { holding } : finding('COPIED_TWICE');
  return {
    holding: {
      ...holding,
      copies: [...holding.copies, copyOf(copy)],
      unequal: holding.unequal.filter(({ site }) => site !== copy.site),
    },
  };
}

/** The first order that erased the sample counts. */
function erase(holding: Holding, { order, sites: more }: SampleErased): Holding {
  const sites = [...new Set([...(holding.erased?.sites ?? []), ...more])];
  const stays = ({ site }: PlacedCopy): boolean => !sites.includes(site);
  return {
    ...holding,
    copies: holding.copies.filter(stays),
    unequal: holding.unequal.filter(stays),
    erased: { order: holding.erased?.order ?? order, sites },
  };
}

function siteOf(event: SampleEvent): string {
  return event.type === 'copied' ? event.copy.site : event.sites.join(' ');
}

/** Where the sample of one `stored` event is. `events`: the custody events about it, in order. */
export function holding(stored: StoredSample, events: readonly SampleEvent[]): Folded {
  let folded = holdingOf(stored);
  const findings: CustodyFinding[] = [];
  for (const event of events) {
    const next = evolveHolding(folded, event);
    folded = next.holding;
    if (next.finding !== undefined) findings.push(next.finding);
  }
  return { holding: folded, findings };
}

/**
 * The sites of `sites` that do not have the holding's ciphertext, in their order. Nobody is owed a
 * copy of a sample that was erased or is lost.
 */
export function owedSites(
  { copies, erased, lost }: Holding,
  sites: readonly string[],
): readonly string[] {
  if (erased !== undefined || lost !== undefined) return [];
  const has = new Set(copies.map(({ site }) => site));
  return sites.filter((site) => !has.has(site));
}

/** The sites of `sites` where an erased sample may still be, in their order. */
export function unerasedSites({ erased }: Holding, sites: readonly string[]): readonly string[] {
  return erased === undefined ? [] : sites.filter((site) => !erased.sites.includes(site));
}

function copyOf({ site, sealedSha256, sealedBytes, versionId }: PlacedCopy): PlacedCopy {
  return { site, sealedSha256, sealedBytes, ...defined({ versionId }) };
}
