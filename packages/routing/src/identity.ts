import { hasCode, remedyOf } from '@residency/coded-error';
import { objectKey, parsePosition } from '@residency/contracts';
import type { ClaimedIdentity, Position } from '@residency/contracts';
import { mayOwe } from './claim.ts';
import type { Attempt, Claim } from './claim.ts';
import {
  claimUnknown,
  requireOwnObject,
  laterSiteAway,
  ownerUnsettled,
  otherRecord,
  positionBeyond,
  sitesDisagree,
} from './placing-errors.ts';
import type { ObjectHead, ObjectStore } from './ports/object-store.ts';

/** The identity is another record's. */
export type OfAnother =
  /**
   * `left`: objects of an earlier attempt of this record in sites that the owner's policy version
   * does not name, or in the first site beside a claim.
   */
  | { readonly kind: 'duplicate'; readonly of: string; readonly left: readonly SeenHead[] }
  | { readonly kind: 'conflict' };

/** How another record's object in a site affects the record that is being placed. */
export type Verdict =
  | OfAnother
  /** The other record is settled and stored nothing, so the object becomes this record's. */
  | { readonly kind: 'adopt' }
  /** The object is of an earlier arbiter's time and decides nothing: a custodian replaces it. */
  | { readonly kind: 'owe' };

export interface SeenHead {
  readonly site: string;
  readonly head: ObjectHead;
}

/**
 * The first site holds another record's object. The identity belongs to that record, unless it is
 * settled and stored nothing.
 */
export async function atFirstSite(claim: Claim, site: string, head: ObjectHead): Promise<Verdict> {
  return isSame(head, claim)
    ? await sameAtFirst(claim, site, head)
    : await otherAtFirst(claim, site, head);
}

/**
 * What a claim of another record says (docs/decisions/0041). `undefined`: there is none, or its
 * owner is settled and stored nothing.
 */
export async function atClaim(claim: Claim): Promise<OfAnother | undefined> {
  const { claimed, metadata, stores } = claim;
  const [store] = stores;
  if (store === undefined || claimed === undefined || claimed.of === metadata.position)
    return undefined;
  const head = claimedHead(claimed);
  if ((await fateOfClaimed(head, claim, store.site)).kind === 'void') return undefined;
  const found = await readableHead(store, claim, false);
  const left = found !== undefined && found !== 'away' && isOwn(found, claim) ? [found] : [];
  for (const own of left) {
    requireOwnObject(own, metadata, store.site);
    if (!isSame(head, claim))
      throw sitesDisagree(claim, [store.site, claimed.of], [store.site, metadata.position]);
  }
  const verdict = await atFirstSite(claim, store.site, head);
  if (verdict.kind === 'conflict') return verdict;
  if (verdict.kind !== 'duplicate') return undefined;
  const here = left.map((own) => ({ site: store.site, head: own }));
  return { ...verdict, left: [...here, ...verdict.left] };
}

/** Whoever may write to the control log writes claims: what they say proves nothing about this log. */
async function fateOfClaimed(head: ObjectHead, claim: Claim, site: string): Promise<Fate> {
  let fate: Fate;
  try {
    fate = await fateOf(head, claim, site);
  } catch (error) {
    if (!hasCode(error, 'LOG_REWOUND')) throw error;
    throw claimUnknown(claim, head.metadata.position);
  }
  if (fate.kind === 'unknown') throw claimUnknown(claim, head.metadata.position);
  return fate;
}

function claimedHead({ of: position, sampleSha256, country }: ClaimedIdentity): ObjectHead {
  const none = { policyDigest: '', sealedSha256: '', wrappingKey: '' };
  return { bytes: 0, metadata: { position, sampleSha256, country, ...none } };
}

/**
 * This record owns the identity at the first site, and a later site holds another record's object.
 * Either the first site lost that object, or a frozen router wrote late. Only that record's outcome
 * shows which. While it has none, it may be about to commit as stored, so this record waits. That
 * record will find this one's object at the first site, so both make progress. An object of an
 * earlier arbiter's time is not waited for: its router is fenced.
 */
export async function atLaterSite(claim: Claim, site: string, head: ObjectHead): Promise<Verdict> {
  const disagree = (): Error =>
    sitesDisagree(claim, firstSite(claim), [site, head.metadata.position]);
  const earlier = isOfEarlier(head, claim);
  if (!isSame(head, claim) && !earlier) throw disagree();
  const fate = await fateOf(head, claim, site);
  if (earlier && fate.kind !== 'unknown') {
    if (!isSame(head, claim)) {
      // The first site lost the owner's object. This record's bytes stand there now (0016).
      if (fate.kind === 'stored') throw disagree();
      return { kind: 'owe' };
    }
    if (fate.kind === 'unsettled' || fate.kind === 'settling') return { kind: 'owe' };
  }
  switch (fate.kind) {
    case 'stored':
      return { kind: 'duplicate', of: fate.of, left: [] };
    case 'void':
    case 'behind':
      return { kind: 'adopt' };
    case 'unsettled':
    case 'settling':
      throw ownerUnsettled(claim, site, head.metadata.position);
    case 'unknown':
      throw disagree();
    default:
      return fate satisfies never;
  }
}

/**
 * The record's own objects in its later sites, from an attempt before the first site lost its
 * object. Throws `OWNER_UNSETTLED` (retry) if a later site does not answer.
 */
export async function leftBehind(claim: Claim, site: string): Promise<readonly SeenHead[]> {
  const { heads, away } = await laterHeads(claim);
  if (away > 0) throw laterSiteAway(claim, site);
  return heads.filter(({ head }) => isOwn(head, claim));
}

/**
 * An owner that is not settled yet may lose its object at the first site, and another sample may
 * take that key. The other sample cannot take the key at the later sites. So the owner's sample
 * must be in all sites before an event names the owner. Placing continues while a partition waits,
 * so this wait ends. A wait for the owner's settlement might not end. A later site that is away is
 * not waited for: what suffices to settle the owner suffices to name it (docs/decisions/0036).
 */
async function sameAtFirst(claim: Claim, site: string, head: ObjectHead): Promise<Verdict> {
  const { position, policyDigest } = head.metadata;
  const fate = await fateOf(head, claim, site);
  if (fate.kind === 'void') return { kind: 'adopt' };
  // Whoever routes the other record finds this one's claim, and is its duplicate.
  if (fate.kind === 'unsettled' && isClaimed(claim)) return { kind: 'adopt' };
  const certain = fate.kind === 'stored' || fate.kind === 'settling';
  const {
    heads: later,
    earlier,
    away,
  } = certain && policyDigest === claim.metadata.policyDigest ? NONE : await laterHeads(claim);
  const against = certain
    ? undefined
    : (later.find((one) => !isSame(one.head, claim)) ?? (await storedOther(earlier, claim)));
  if (against !== undefined)
    throw sitesDisagree(claim, [site, position], [against.site, against.head.metadata.position]);
  if (fate.kind === 'unsettled' && !isSettleable(claim, later.length, away))
    throw ownerUnsettled(claim, site, position);
  return {
    kind: 'duplicate',
    of: fate.kind === 'stored' ? fate.of : position,
    left: later.filter((one) => isOwn(one.head, claim)),
  };
}

/**
 * An object of an earlier arbiter's time that is another sample's and stored: the owner at the first
 * site waits for a person, so no event may name it.
 */
async function storedOther(
  earlier: readonly SeenHead[],
  claim: Claim,
): Promise<SeenHead | undefined> {
  for (const one of earlier) {
    if (isSame(one.head, claim)) continue;
    if ((await fateOf(one.head, claim, one.site)).kind === 'stored') return one;
  }
  return undefined;
}

/**
 * Whether the owner at the first site can be settled as it is: each later site has its sample or is
 * away, and enough sites have it.
 */
function isSettleable({ stores, settleWith }: Claim, later: number, away: number): boolean {
  return later + away >= stores.length - 1 && 1 + later >= settleWith;
}

async function otherAtFirst(claim: Claim, site: string, head: ObjectHead): Promise<Verdict> {
  const { position } = head.metadata;
  const { heads: later } = await laterHeads(claim);
  const [left] = later.filter((one) => isOwn(one.head, claim));
  if (left !== undefined)
    throw sitesDisagree(claim, [site, position], [left.site, claim.metadata.position]);
  const fate = await fateOf(head, claim, site);
  if (fate.kind === 'stored' || fate.kind === 'settling') return { kind: 'conflict' };
  // An event names this record as the owner: it must not end as a conflict. The other record will.
  if (fate.kind !== 'void' && isClaimed(claim)) throw ownerUnsettled(claim, site, position);
  // Bytes of a quarantined sample. No router may delete them.
  if (fate.kind === 'void') throw sitesDisagree(claim, [site, position], undefined);
  const alike = later.find((one) => isSame(one.head, claim));
  if (alike !== undefined)
    throw sitesDisagree(claim, [site, position], [alike.site, alike.head.metadata.position]);
  return { kind: 'conflict' };
}

/** The record at the end of a chain of duplicates. */
type Fate =
  /** `of` is stored: the record itself, or the one it is a duplicate of. */
  | { readonly kind: 'stored'; readonly of: string }
  /** It is settled, and leads to no stored event, or to this record. */
  | { readonly kind: 'void' }
  /**
   * `settling`: it precedes this record in its batch. `behind`: it follows this record in its
   * partition and cannot settle before it.
   */
  | { readonly kind: 'unsettled' | 'settling' | 'behind' }
  /** The position belongs to another log, or its event was deleted. */
  | { readonly kind: 'unknown' };

/**
 * The most links of a chain of duplicates. The outcome in each link was settled before the event
 * that names it, or was in flight then. Longer chains have never been observed.
 */
const MOST_LINKS = 64;

/** Throws `LOG_REWOUND` if the object cannot have been written from this log. */
async function fateOf({ metadata }: ObjectHead, claim: Claim, site: string): Promise<Fate> {
  let of = metadata.position;
  for (let link = 0; link < MOST_LINKS; link += 1) {
    if (of === claim.metadata.position) return { kind: 'void' };
    const position = parsePosition(of);
    if (isSettling(position, claim.attempt)) return { kind: 'settling' };
    const outcome = await claim.outcomes.outcomeOf(position);
    switch (outcome.state) {
      case 'beyond':
        throw positionBeyond(site, of);
      case 'foreign':
      case 'forgotten':
        return { kind: 'unknown' };
      case 'unsettled':
        return { kind: isBehind(position, claim.attempt) ? 'behind' : 'unsettled' };
      case 'settled':
        break;
      default:
        return outcome satisfies never;
    }
    const { event } = outcome;
    if (event.data.submission !== undefined && event.data.submission !== claim.submission)
      throw otherRecord(site, of);
    if (event.outcome === 'stored') return { kind: 'stored', of };
    if (event.outcome !== 'duplicate') return { kind: 'void' };
    ({ of } = event.data);
  }
  return { kind: 'unknown' };
}

interface LaterHeads {
  readonly heads: readonly SeenHead[];
  /** Of an earlier arbiter's time; they count as `away` too. */
  readonly earlier: readonly SeenHead[];
  /** The number of sites that may be owed: no answer, or an object of an earlier arbiter's time. */
  readonly away: number;
}

const NONE: LaterHeads = { heads: [], earlier: [], away: 0 };

/** The objects in the later sites that can be read. */
async function laterHeads(claim: Claim): Promise<LaterHeads> {
  const seen = await Promise.all(
    claim.stores
      .slice(1)
      .map(async (store) => ({ site: store.site, head: await readableHead(store, claim) })),
  );
  const heads = seen.flatMap(({ site, head }) =>
    head === undefined || head === 'away' ? [] : [{ site, head }],
  );
  for (const { site, head } of heads) {
    if (isOwn(head, claim)) requireOwnObject(head, claim.metadata, site);
  }
  const earlier = heads.filter(({ head }) => !isOwn(head, claim) && isOfEarlier(head, claim));
  const away = seen.filter(({ head }) => head === 'away').length + earlier.length;
  return { heads: heads.filter((one) => !earlier.includes(one)), earlier, away };
}

async function readableHead(
  store: ObjectStore,
  claim: Claim,
  owable = mayOwe(claim.settleWith, claim.stores),
): Promise<ObjectHead | 'away' | undefined> {
  try {
    return await store.head(objectKey(claim.submission), { owable });
  } catch (error) {
    if (remedyOf(error) === 'park') return undefined;
    if (owable && remedyOf(error) === 'retry') return 'away';
    throw error;
  }
}

function firstSite({ stores, metadata }: Claim): readonly [string, string] {
  return [stores[0]?.site ?? '', metadata.position];
}

/** The identity is claimed for this record. */
function isClaimed({ claimed, metadata }: Claim): boolean {
  return claimed?.of === metadata.position;
}

function isOwn({ metadata }: ObjectHead, claim: Claim): boolean {
  return metadata.position === claim.metadata.position;
}

/** Made before the region's arbiter changed to the present one. */
function isOfEarlier({ metadata }: ObjectHead, claim: Claim): boolean {
  return (metadata.arbiter ?? 0) < (claim.metadata.arbiter ?? 0);
}

function isSame({ metadata: { sampleSha256, country } }: ObjectHead, { metadata }: Claim): boolean {
  return sampleSha256 === metadata.sampleSha256 && country === metadata.country;
}

function isSettling(position: Position, { position: own, previous }: Attempt): boolean {
  return (
    inOnePartition(position, own) &&
    position.offset < own.offset &&
    position.offset > (previous ?? -1n)
  );
}

function isBehind(position: Position, { position: own }: Attempt): boolean {
  return inOnePartition(position, own) && position.offset > own.offset;
}

function inOnePartition(a: Position, b: Position): boolean {
  return a.log === b.log && a.topic === b.topic && a.partition === b.partition;
}
