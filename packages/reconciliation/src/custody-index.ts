import { parsePosition, sha256OfParts } from '@residency/contracts';
import { holding } from '@residency/custody';
import type {
  Folded,
  SampleCopied,
  SampleErased,
  SampleEvent,
  SampleLost,
  StoredSample,
} from '@residency/custody';
import { partitionOf } from './audit-chain.ts';

/** The offsets of one page. */
const PAGE_OFFSETS = 64n;
const NAMES = 0;
const BYTES = 64;
const FLAGS = 128;
const PAGE_LENGTH = 192;
const MET = 1;
const REPAIR = 2;
const LATE = 4;
/** In place of a site's name, for events that a sample was erased; no site has it. */
const ERASED = ' ';
/** The same, for events that a sample was given up. */
const LOST = '  ';
/** In place of a member that differs from the stored event's. */
const ANOTHER = '';

type Pages = Map<bigint, Uint32Array>;

/** The events of one position and site after the first one. */
interface Later {
  readonly names: number;
  /** The print of the ciphertext; of an erasure, the number of its order and sites. */
  readonly bytes: number;
  readonly isRepair: boolean;
  /** A copy: it came after an event that the sample was erased or given up; a loss: after an erasure. */
  readonly isLate: boolean;
}

/** Of an event that a sample was erased or given up. */
type End = Pick<SampleErased, 'order' | 'sites'>;

/**
 * The custody events by the position that they are about, for the fold. A backfill makes one for
 * each stored sample, so an event is kept as two prints of four bytes: of its submission and region,
 * and of its ciphertext. An event that differs from its stored event is overlooked once in 2^32; its
 * object is compared whole. Memory: pages of 64 offsets for each site and partition, about a
 * kilobyte each. 10 million copies in one site take about 170 MB; an event without neighbours takes
 * a kilobyte. A second event about one position and site, which no custodian writes, takes about
 * 300 bytes. Erasures and losses of a partition have pages like a site's.
 */
export class CustodyIndex {
  readonly #partitions = new Map<string, Map<string, Pages>>();
  readonly #later = new Map<string, Later[]>();
  /** Accesses whose stored event is not met yet: position and print. About 100 bytes each. */
  readonly #accesses = new Set<string>();

  /** Orders with the sites that events name, each once; an event has their number. */
  readonly #ends: End[] = [];
  readonly #numbers = new Map<string, number>();

  /** Call in the order of the region's custody log. */
  add(event: SampleEvent): void {
    const { of, submission, region } = event;
    const names = print(submission, region);
    const isAfter = (end: string): boolean =>
      this.#read(of, end).some((earlier) => earlier.names === names);
    if (event.type !== 'copied') {
      const isLost = event.type === 'lost';
      this.#add(of, isLost ? LOST : ERASED, {
        names,
        bytes: this.#number(event),
        isRepair: false,
        isLate: isLost && isAfter(ERASED),
      });
      return;
    }
    const { copy, isRepair = false } = event;
    const isLate = isAfter(ERASED) || isAfter(LOST);
    this.#add(of, copy.site, { names, bytes: ciphertext(copy), isRepair, isLate });
  }

  #add(of: string, site: string, event: Later): void {
    const position = parsePosition(of);
    const page = this.#page(partitionOf(position), site, position.offset / PAGE_OFFSETS);
    const at = Number(position.offset % PAGE_OFFSETS);
    if (page[NAMES + at] === 0) {
      page[NAMES + at] = event.names;
      page[BYTES + at] = event.bytes;
      page[FLAGS + at] = (event.isRepair ? REPAIR : 0) | (event.isLate ? LATE : 0);
      return;
    }
    const key = laterKey(of, site);
    this.#later.set(key, [...(this.#later.get(key) ?? []), event]);
  }

  /** An access, or a request for one. */
  mention({ of, submission, region }: Pick<SampleCopied, 'of' | 'region' | 'submission'>): void {
    this.#accesses.add(accessKey(of, submission, region));
  }

  /** An event says that a sample of this position was given up. */
  isLost(of: string): boolean {
    return this.#read(of, LOST).length > 0;
  }

  /** Where the sample is, by the events about it. They count as met from then on. */
  fold(stored: StoredSample): Folded {
    return holding(stored, this.about(stored));
  }

  /**
   * The events about this stored sample, for each site in order; its loss and erasure are ahead of the
   * copies that came after one of them, and behind the others. They count as met from then on.
   */
  about(stored: StoredSample): readonly SampleEvent[] {
    this.#accesses.delete(accessKey(stored.position, stored.submission, stored.region));
    const sites = this.#partitions.get(partitionOf(parsePosition(stored.position)));
    if (sites === undefined) return [];
    const early: SampleCopied[] = [];
    const late: SampleCopied[] = [];
    for (const site of sites.keys())
      if (site !== ERASED && site !== LOST)
        for (const event of this.#read(stored.position, site, true))
          (event.isLate ? late : early).push(asCopied(stored, site, event));
    // Few samples are erased or given up: the rest is for them alone.
    if (!sites.has(ERASED) && !sites.has(LOST)) return early;
    const erased = this.#ended(stored, ERASED).map(
      ({ end }) => ({ type: 'erased', ...end }) as const,
    );
    const lost = this.#ended(stored, LOST);
    const lostEvents = (isLate: boolean): readonly SampleLost[] =>
      lost.filter((one) => one.isLate === isLate).map(({ end }) => ({ type: 'lost', ...end }));
    return [...early, ...lostEvents(false), ...erased, ...lostEvents(true), ...late];
  }

  /** The events that the sample was erased, or given up. */
  #ended(
    stored: StoredSample,
    kind: typeof ERASED | typeof LOST,
  ): readonly { readonly isLate: boolean; readonly end: Omit<SampleErased, 'type'> }[] {
    const { position: of, region } = stored;
    return this.#read(of, kind, true).flatMap(({ names, bytes, isLate }) => {
      const end = this.#ends[bytes - 1];
      const submission = submissionIn(stored, names);
      return end === undefined ? [] : [{ isLate, end: { of, submission, region, ...end } }];
    });
  }

  /** The events of one position and site, in order. */
  #read(of: string, site: string, isMet = false): readonly Later[] {
    const position = parsePosition(of);
    const pages = this.#partitions.get(partitionOf(position))?.get(site);
    const page = pages?.get(position.offset / PAGE_OFFSETS);
    const at = Number(position.offset % PAGE_OFFSETS);
    const names = page?.[NAMES + at] ?? 0;
    if (page === undefined || names === 0) return [];
    const flags = page[FLAGS + at] ?? 0;
    if (isMet) page[FLAGS + at] = flags | MET;
    const [isRepair, isLate] = [(flags & REPAIR) !== 0, (flags & LATE) !== 0];
    return [
      { names, bytes: page[BYTES + at] ?? 0, isRepair, isLate },
      ...(this.#later.get(laterKey(of, site)) ?? []),
    ];
  }

  /** From 1: 0 means "no event". */
  #number({ order, sites }: End): number {
    const key = [order, ...sites].join(' ');
    const known = this.#numbers.get(key);
    if (known !== undefined) return known;
    const number = this.#ends.push({ order, sites });
    this.#numbers.set(key, number);
    return number;
  }

  /** The positions and sites of events that `about` never met; an access, an erasure and a loss have no site. */
  *unmet(): Generator<{ readonly position: string; readonly site?: string }> {
    for (const position of new Set(Array.from(this.#accesses, positionOf))) yield { position };
    for (const [partition, sites] of this.#partitions)
      for (const [site, pages] of sites)
        for (const [number, page] of pages)
          for (let at = 0; at < PAGE_OFFSETS; at += 1)
            if (page[NAMES + at] !== 0 && ((page[FLAGS + at] ?? 0) & MET) === 0)
              yield {
                position: `${partition}/${number * PAGE_OFFSETS + BigInt(at)}`,
                ...(site === ERASED || site === LOST ? {} : { site }),
              };
  }

  #page(partition: string, site: string, number: bigint): Uint32Array {
    const sites = this.#partitions.get(partition) ?? new Map<string, Pages>();
    this.#partitions.set(partition, sites);
    const pages = sites.get(site) ?? (new Map() as Pages);
    sites.set(site, pages);
    const page = pages.get(number) ?? new Uint32Array(PAGE_LENGTH);
    pages.set(number, page);
    return page;
  }
}

/** The submission that an event names, by its print. */
function submissionIn({ submission, region }: StoredSample, names: number): string {
  return names === print(submission, region) ? submission : ANOTHER;
}

function asCopied(
  stored: StoredSample,
  site: string,
  { names, bytes, isRepair }: Later,
): SampleCopied {
  const { position, region } = stored;
  const [{ sealedSha256, sealedBytes }] = stored.placements;
  return {
    type: 'copied',
    isRepair,
    of: position,
    submission: submissionIn(stored, names),
    region,
    copy: {
      site,
      sealedBytes,
      sealedSha256: bytes === ciphertext({ sealedSha256, sealedBytes }) ? sealedSha256 : ANOTHER,
    },
  };
}

function ciphertext({
  sealedSha256,
  sealedBytes,
}: Pick<SampleCopied['copy'], 'sealedSha256' | 'sealedBytes'>): number {
  return print(sealedSha256, String(sealedBytes));
}

/** Four bytes of a digest; never 0, which means "no event". */
function print(...parts: readonly string[]): number {
  return Number.parseInt(sha256OfParts(...parts).slice(0, 8), 16) || 1;
}

/** A position has no blank. */
function accessKey(of: string, submission: string, region: string): string {
  return `${of} ${print(submission, region)}`;
}

function positionOf(key: string): string {
  return key.slice(0, key.lastIndexOf(' '));
}

function laterKey(of: string, site: string): string {
  return `${site} ${of}`;
}
