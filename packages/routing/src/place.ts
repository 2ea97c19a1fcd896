import { remedyOf } from '@residency/coded-error';
import { objectKey } from '@residency/contracts';
import type { ObjectMetadata, Placement } from '@residency/contracts';
import { quarantined } from './decode.ts';
import type { Finding } from './finding.ts';
import type { Placeable } from './judge.ts';
import type { CreateResult, ObjectHead, ObjectStore } from './ports/object-store.ts';
import type { Sealer } from './ports/sealer.ts';
import type { Sites } from './ports/sites.ts';
import { timed } from './stages.ts';
import type { OnStage } from './stages.ts';

export interface PlaceDeps {
  readonly sealer: Sealer;
  readonly sites: Sites;
  readonly onStage?: OnStage;
}

/**
 * Seals and writes to the region's sites in order. Whoever creates the object at the first site, or finds its own
 * position there, owns the identity and goes on; anybody else finds the owner and writes nothing more (DESIGN §3
 * "The store is the identity register"). Throws what a site or the sealer threw, but for what concerns one object.
 */
export async function place(
  { sample, judged }: Placeable,
  stores: readonly ObjectStore[],
  position: string,
  deps: PlaceDeps,
): Promise<Finding> {
  const { submission, sampleSha256, country, decision } = judged;
  const sealed = await timed(deps.onStage, 'seal', () =>
    deps.sealer.seal(sample, {
      region: decision.region,
      policyDigest: decision.policy.digest,
      sampleSha256,
      submission,
    }),
  );
  const metadata: ObjectMetadata = {
    position,
    sampleSha256,
    country,
    policyDigest: decision.policy.digest,
    sealedSha256: sealed.sealedSha256,
    wrappingKey: sealed.wrappingKey,
  };
  return await timed(deps.onStage, 'store', () =>
    write({ judged, message: sealed.message, metadata, stores }),
  );
}

interface Writing {
  readonly judged: Placeable['judged'];
  readonly message: Uint8Array;
  readonly metadata: ObjectMetadata;
  readonly stores: readonly ObjectStore[];
}

async function write({ judged, message, metadata, stores }: Writing): Promise<Finding> {
  const key = objectKey(judged.submission);
  const placements: Placement[] = [];
  for (const store of stores) {
    const result = await create(store, key, message, metadata);
    if (result === 'unreadable') return unreadable(store.site, judged);
    const head = result.created ? { ...result, metadata, bytes: message.length } : result.existing;
    if (head.metadata.position !== metadata.position) {
      return taken(head, judged);
    }
    placements.push(placement(store.site, key, head));
  }
  return { outcome: 'stored', data: { ...judged, placements } };
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
    ...(versionId === undefined ? {} : { versionId }),
  };
}

/**
 * The identity belongs to another record: the same sample again, or another one under its name. At a later site this
 * means that the first one lost its object; what we created there anew is in its lawful region, and `reconcile` names it.
 */
function taken({ metadata }: ObjectHead, judged: Placeable['judged']): Finding {
  if (metadata.sampleSha256 === judged.sampleSha256 && metadata.country === judged.country) {
    return { outcome: 'duplicate', data: { ...judged, of: metadata.position } };
  }
  return quarantined(
    'IDENTITY_CONFLICT',
    'source, id: already used for another sample or country',
    judged,
  );
}

/** An object nobody can read is that object's fault: it must not stop the records behind this one. */
async function create(
  store: ObjectStore,
  ...object: Parameters<ObjectStore['create']>
): Promise<CreateResult | 'unreadable'> {
  try {
    return await store.create(...object);
  } catch (error) {
    if (remedyOf(error) === 'park') return 'unreadable';
    throw error;
  }
}

function unreadable(site: string, judged: Placeable['judged']): Finding {
  return quarantined(
    'IDENTITY_CONFLICT',
    `${site} holds an object under this identity that nothing explains: it was altered, or its metadata is lost; run residency reconcile, mend the site, redrive`,
    judged,
  );
}
