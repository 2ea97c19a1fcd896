import { hasCode, remedyOf } from '@residency/coded-error';
import { objectKey } from '@residency/contracts';
import type { ClaimedIdentity, NamedOwner } from '@residency/contracts';
import { mayOwe } from './claim.ts';
import type { Claim } from './claim.ts';
import { fateOf } from './fate.ts';
import type { Fate } from './fate.ts';
import {
  claimUnknown,
  requireOwnObject,
  laterSiteAway,
  ownerUnsettled,
  sitesDisagree,
} from './placing-errors.ts';
import type { ObjectHead, ObjectStore } from './ports/object-store.ts';
import { readAgain } from './read-again.ts';

/** The identity is another record's. */
export type OfAnother =
  /**
   * `left`: objects of an earlier attempt of this record in sites that the owner's policy version
   * does not name, or in the first site beside a claim.
   */
  | { readonly kind: 'duplicate'; readonly of: string; readonly left: readonly SeenHead[] }
  | { readonly kind: 'conflict'; readonly owner: NamedOwner }
  | Erased;

/** A sample of the identity was erased, by this order. */
export interface Erased {
  readonly kind: 'erased';
  readonly order: string;
}

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
 * `undefined`: the object is no tombstone. A tombstone decides, in whatever site it is and whatever
 * record it names, also this one (docs/decisions/0049). It has no bytes of a sample, so nothing else
 * of it is compared.
 */
export function erasedBy({ metadata: { erased } }: ObjectHead): Erased | undefined {
  return erased === undefined ? undefined : { kind: 'erased', order: erased };
}

/**
 * The first site holds another record's object. The identity belongs to the record to which the
 * events lead from it, unless they lead to nothing stored.
 */
export async function atFirstSite(claim: Claim, site: string, head: ObjectHead): Promise<Verdict> {
  return await judge(claim, site, head, await fateOf(head, claim, site));
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
  const found = await readableHead(store, claim, false);
  const erased = found === undefined || found === 'away' ? undefined : erasedBy(found);
  if (erased !== undefined) return erased;
  const fate = await fateOfClaimed(head, claim, store.site);
  if (fate.kind === 'void') return undefined;
  const left = found !== undefined && found !== 'away' && isOwn(found, claim) ? [found] : [];
  for (const own of left) {
    requireOwnObject(own, metadata, store.site);
    if (!isSame(fate.owner, metadata))
      throw sitesDisagree(claim, [store.site, claimed.of], [store.site, metadata.position]);
  }
  const verdict = await judge(claim, store.site, head, fate);
  if (verdict.kind === 'conflict' || verdict.kind === 'erased') return verdict;
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
  const { kind, owner } = await fateOf(head, claim, site);
  const [equal, direct] = [isSame(owner, claim.metadata), isSame(head.metadata, claim.metadata)];
  if (kind === 'stored' && equal) return { kind: 'duplicate', of: owner.of, left: [] };
  if (isOfEarlier(head, claim) && kind !== 'unknown') {
    // The first site lost the owner's object. This record's bytes stand there now (0016).
    if (kind === 'stored') throw disagree();
    if (!direct || kind === 'unsettled' || kind === 'settling') return { kind: 'owe' };
  }
  // The first site keeps this record's bytes: it does not end as a conflict (docs/decisions/0016).
  if (!direct || !equal) throw disagree();
  switch (kind) {
    case 'void':
    case 'behind':
      return { kind: 'adopt' };
    case 'unsettled':
    case 'settling':
      throw ownerUnsettled(claim, site, owner.of);
    case 'stored':
    case 'unknown':
      throw disagree();
    default:
      return kind satisfies never;
  }
}

/**
 * The record's own objects in its later sites, from an attempt before the first site lost its
 * object; or the tombstone in one of them. Throws `OWNER_UNSETTLED` (retry) if a later site does not
 * answer.
 */
export async function leftBehind(
  claim: Claim,
  site: string,
): Promise<readonly SeenHead[] | Erased> {
  const { heads, away, erased } = await laterHeads(claim);
  if (erased !== undefined) return erased;
  if (away > 0) throw laterSiteAway(claim, site);
  return heads.filter(({ head }) => isOwn(head, claim));
}

/**
 * Whose the identity is, by an object at the first site or a claim, and by what became of its
 * record.
 *
 * An owner that is not settled yet may lose its object at the first site, and another sample may
 * take that key. The other sample cannot take the key at the later sites. So the owner's sample
 * must be in all sites before an event names the owner. Placing continues while a partition waits,
 * so this wait ends. A wait for the owner's settlement might not end. A later site that is away is
 * not waited for: what suffices to settle the owner suffices to name it (docs/decisions/0036).
 */
async function judge(
  claim: Claim,
  site: string,
  head: ObjectHead,
  { kind, owner }: Fate,
): Promise<Verdict> {
  const { position, policyDigest } = head.metadata;
  const equal = isSame(owner, claim.metadata);
  const direct = isSame(head.metadata, owner);
  if (equal && kind === 'void') return { kind: 'adopt' };
  // Whoever routes the other record finds this one's claim, and is its duplicate.
  if (equal && direct && kind === 'unsettled' && isClaimed(claim)) return { kind: 'adopt' };
  const certain = kind === 'stored' || kind === 'settling';
  const {
    heads: later,
    earlier,
    away,
    erased,
  } = equal && direct && certain && policyDigest === claim.metadata.policyDigest
    ? NONE
    : await laterHeads(claim);
  if (erased !== undefined) return erased;
  const left = later.filter((one) => isOwn(one.head, claim));
  const disagree = (other: SeenHead | undefined): Error =>
    sitesDisagree(
      claim,
      [site, position],
      other === undefined ? undefined : [other.site, other.head.metadata.position],
    );
  if (!equal && left[0] !== undefined) throw disagree(left[0]);
  // Bytes of a quarantined sample. No router may delete them.
  if (kind === 'void') throw disagree(undefined);
  // An event names this record as the owner: it must not end as a conflict. The other record will.
  if (!equal && !certain && isClaimed(claim)) throw ownerUnsettled(claim, site, owner.of);
  const against = certain
    ? undefined
    : (later.find((one) => !isSame(one.head.metadata, owner)) ??
      (await storedOther(earlier, owner, claim)));
  if (against !== undefined) throw disagree(against);
  if (kind === 'unsettled' && !(direct && isSettleable(claim, later.length, away)))
    throw ownerUnsettled(claim, site, owner.of);
  return equal ? { kind: 'duplicate', of: owner.of, left } : { kind: 'conflict', owner };
}

/**
 * An object of an earlier arbiter's time that leads to a stored sample other than the owner's at the
 * first site: that owner waits for a person, so no event may name it.
 */
async function storedOther(
  earlier: readonly SeenHead[],
  owner: NamedOwner,
  claim: Claim,
): Promise<SeenHead | undefined> {
  for (const one of earlier) {
    if (isSame(one.head.metadata, owner)) continue;
    const fate = await fateOf(one.head, claim, one.site);
    if (fate.kind === 'stored' && !isSame(fate.owner, owner)) return one;
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

interface LaterHeads {
  readonly heads: readonly SeenHead[];
  /** Of an earlier arbiter's time; they count as `away` too. */
  readonly earlier: readonly SeenHead[];
  /** The number of sites that may be owed: no answer, or an object of an earlier arbiter's time. */
  readonly away: number;
  /** Of a tombstone in one of them. */
  readonly erased?: Erased;
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
    const erased = erasedBy(head);
    if (erased !== undefined) return { ...NONE, erased };
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
    return await readAgain(() => store.head(objectKey(claim.submission), { owable }));
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

type Sample = Pick<NamedOwner, 'sampleSha256' | 'country'>;

function isSame(one: Sample, other: Sample): boolean {
  return one.sampleSha256 === other.sampleSha256 && one.country === other.country;
}
