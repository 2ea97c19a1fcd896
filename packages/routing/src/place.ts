import { remedyOf } from '@residency/coded-error';
import { formatPosition, objectKey } from '@residency/contracts';
import type { ObjectMetadata, Placement } from '@residency/contracts';
import { defined } from '@residency/defined';
import type { SealedSample } from '@residency/sealing';
import { mayOwe } from './claim.ts';
import type { Attempt, Claim } from './claim.ts';
import { quarantined } from './decode.ts';
import type { RecordResult } from './record-result.ts';
import { atClaim, atFirstSite, atLaterSite, erasedBy, leftBehind } from './identity.ts';
import type { Erased, OfAnother, Verdict } from './identity.ts';
import type { Placeable } from './judge.ts';
import { requireOwnObject, sitesDisagree } from './placing-errors.ts';
import type { CreateResult, ObjectHead, ObjectStore } from './ports/object-store.ts';
import type { Sealer } from './ports/sealer.ts';
import type { SettledOutcomes } from './ports/settled-outcomes.ts';
import type { Sites } from './ports/sites.ts';
import { readAgain } from './read-again.ts';
import { timed } from './stages.ts';
import type { OnStage } from './stages.ts';

export interface PlaceDeps {
  readonly sealer: Sealer;
  readonly sites: Sites;
  readonly outcomes: SettledOutcomes;
  readonly onStage?: OnStage;
}

/**
 * Seals the sample and writes it to the region's sites in order.
 *
 * A record owns the identity if it creates the object at the first site or finds its own position
 * there. The owner goes on to the next sites. A later site that cannot be reached is owed its copy,
 * if the policy lets the sample be stored without it. Any other record finds the owner and writes
 * nothing more (DESIGN §3 "The store is the identity register", docs/decisions/0015). A record that
 * left bytes in a site never ends as quarantined, unless that site is away and the identity is
 * another sample's (docs/decisions/0037).
 *
 * A record that finds a tombstone in any of the sites is refused. If the first site has bytes of it
 * then, that site is not erased yet, or lost its tombstone: the order covers every site, so a
 * custodian puts one there (docs/decisions/0049).
 *
 * Throws the errors of site, sealer and audit log; `OWNER_UNSETTLED` and `SITES_DISAGREE` (retry);
 * `LOG_REWOUND` (stop).
 */
export async function place(
  { sample, judged, settleWith, arbiter, claimed }: Placeable,
  stores: readonly ObjectStore[],
  attempt: Attempt,
  deps: PlaceDeps,
): Promise<RecordResult> {
  const { submission, sampleSha256, country, decision } = judged;
  const claim: Claim = {
    submission,
    metadata: {
      position: formatPosition(attempt.position),
      sampleSha256,
      country,
      policyDigest: decision.policy.digest,
      ...defined({ arbiter }),
    },
    attempt,
    stores,
    settleWith,
    outcomes: deps.outcomes,
    ...defined({ claimed }),
  };
  if (claimed !== undefined) {
    const verdict = await timed(deps.onStage, 'store', () => atClaim(claim));
    if (verdict !== undefined) return ofAnother(verdict, [], objectKey(submission), judged);
  }
  const sealed = await timed(deps.onStage, 'seal', () =>
    deps.sealer.seal(sample, {
      region: decision.region,
      policyDigest: decision.policy.digest,
      sampleSha256,
      submission,
    }),
  );
  return await timed(deps.onStage, 'store', () => write({ judged, sealed, claim }));
}

interface Writing {
  readonly judged: Placeable['judged'];
  readonly sealed: SealedSample;
  readonly claim: Claim;
}

async function write({ judged, sealed, claim }: Writing): Promise<RecordResult> {
  const { stores, settleWith } = claim;
  const { message, sealedSha256, wrappingKey } = sealed;
  const metadata: ObjectMetadata = { ...claim.metadata, sealedSha256, wrappingKey };
  const key = objectKey(judged.submission);
  if (stores.length === 0) throw new Error('Expected a site to write to, found none.');
  const placements: Placement[] = [];
  const debts = new Debts(stores.length - settleWith);
  for (const store of stores) {
    const { site } = store;
    const first = store === stores[0];
    const writing = {
      key,
      message,
      metadata,
      decided: !first,
      owable: !first && mayOwe(settleWith, stores),
    };
    const head = await debts.unless(store, writing.owable, () => create(store, writing));
    if (head === 'owed') continue;
    if (head === 'unreadable') {
      if (!first)
        throw sitesDisagree(claim, [stores[0]?.site ?? '', metadata.position], [site, undefined]);
      return await unreadable(site, claim, judged);
    }
    const verdict =
      erasedBy(head) ??
      (head.metadata.position === metadata.position
        ? own(head, claim, site)
        : await (first ? atFirstSite : atLaterSite)(claim, site, head));
    switch (verdict.kind) {
      case 'own':
        placements.push(placement(site, key, head));
        break;
      case 'adopt':
        placements.push({
          ...placement(site, key, head),
          adopted: { position: head.metadata.position, policyDigest: head.metadata.policyDigest },
        });
        break;
      case 'owe':
        debts.owe(site, claim, head);
        break;
      case 'duplicate':
      case 'conflict':
      case 'erased':
        return ofAnother(verdict, placements, key, judged);
      default:
        return verdict satisfies never;
    }
  }
  return {
    outcome: 'stored',
    data: {
      ...judged,
      placements,
      ...defined({ owed: debts.sites, arbiter: metadata.arbiter }),
    },
  };
}

/** The sites that are owed a copy of the sample. */
class Debts {
  readonly #most: number;
  readonly #sites: string[] = [];

  /** `most`: the number of sites without which the sample may be stored. */
  constructor(most: number) {
    this.#most = most;
  }

  /** `undefined`: none. */
  get sites(): string[] | undefined {
    return this.#sites.length === 0 ? undefined : this.#sites;
  }

  /** Writes to the site. If it cannot be reached and may be owed, it is. Throws as `write`. */
  async unless<T>(
    { site }: ObjectStore,
    owable: boolean,
    write: () => Promise<T>,
  ): Promise<T | 'owed'> {
    try {
      return await write();
    } catch (error) {
      if (!owable || remedyOf(error) !== 'retry' || this.#sites.length >= this.#most) throw error;
      this.#sites.push(site);
      return 'owed';
    }
  }

  /** The site holds another record's object, which decides nothing. Throws if it must have a copy. */
  owe(site: string, claim: Claim, { metadata }: ObjectHead): void {
    if (this.#sites.length >= this.#most)
      throw sitesDisagree(
        claim,
        [claim.stores[0]?.site ?? '', claim.metadata.position],
        [site, metadata.position],
      );
    this.#sites.push(site);
  }
}

/**
 * The identity is another record's, or erased. `placements`: what this record wrote before it found
 * out.
 */
function ofAnother(
  verdict: OfAnother,
  placements: readonly Placement[],
  key: string,
  judged: Placeable['judged'],
): RecordResult {
  if (verdict.kind === 'erased') return refusedAsErased(verdict, judged);
  if (verdict.kind === 'conflict') {
    const { of, ...owner } = verdict.owner;
    return quarantined(
      'IDENTITY_CONFLICT',
      'source, id: already used for another sample or country',
      { ...judged, of, owner },
    );
  }
  const copies = [
    ...placements,
    ...verdict.left.map((left) => placement(left.site, key, left.head)),
  ];
  return {
    outcome: 'duplicate',
    data: { ...judged, of: verdict.of, ...(copies.length === 0 ? {} : { placements: copies }) },
  };
}

function refusedAsErased(
  { order }: Erased,
  { submission, sampleBytes, verdict, consentId, decision: { region } }: Placeable['judged'],
): RecordResult {
  const passed = { submission, sampleBytes, verdict, consentId };
  return {
    outcome: 'refused',
    data: { ...passed, reason: 'ERASED', erasure: { order, region } },
  };
}

function own(
  head: ObjectHead,
  { metadata }: Claim,
  site: string,
): Verdict | { readonly kind: 'own' } {
  requireOwnObject(head, metadata, site);
  return { kind: 'own' };
}

function placement(
  site: string,
  key: string,
  { metadata, bytes, versionId }: ObjectHead,
): Placement {
  const { sealedSha256, wrappingKey } = metadata;
  return {
    site,
    key,
    sealedSha256,
    sealedBytes: bytes,
    wrappingKey,
    ...defined({ versionId }),
  };
}

/**
 * An object whose metadata cannot be read concerns its own identity only. It must not stop the
 * records behind this one.
 */
async function create(
  store: ObjectStore,
  {
    key,
    message,
    metadata,
    decided,
    owable,
  }: {
    readonly key: string;
    readonly message: Uint8Array;
    readonly metadata: ObjectMetadata;
    readonly decided: boolean;
    readonly owable: boolean;
  },
): Promise<ObjectHead | 'unreadable'> {
  let result: CreateResult;
  try {
    result = await readAgain(() => store.create(key, message, metadata, { decided, owable }));
  } catch (error) {
    if (remedyOf(error) === 'park') return 'unreadable';
    throw error;
  }
  return result.created ? { ...result, metadata, bytes: message.length } : result.existing;
}

/**
 * The owner of the identity is unknown. It may be this record, and the bytes may be its own. If
 * another object of this record is found, a person must act.
 */
async function unreadable(
  site: string,
  claim: Claim,
  judged: Placeable['judged'],
): Promise<RecordResult> {
  const behind = await leftBehind(claim, site);
  if ('kind' in behind) return refusedAsErased(behind, judged);
  const [left] = behind;
  if (left !== undefined)
    throw sitesDisagree(claim, [site, undefined], [left.site, claim.metadata.position]);
  return quarantined(
    'IDENTITY_CONFLICT',
    `${site} holds an object under this identity that nothing explains: it was altered, or its metadata is lost; run residency reconcile, mend the site, redrive`,
    judged,
  );
}
