import { objectKey } from '@residency/contracts';
import type { ObjectMetadata, Placement } from '@residency/contracts';
import { quarantined } from './decode.ts';
import type { Finding } from './finding.ts';
import type { Placeable } from './judge.ts';
import type { ObjectHead, ObjectStore } from './ports/object-store.ts';
import type { Sealer } from './ports/sealer.ts';
import { RoutingError } from './routing-error.ts';

export interface PlaceDeps {
  readonly sealer: Sealer;
  readonly sites: ReadonlyMap<string, ObjectStore>;
}

/**
 * Seals and writes to the region's sites in order. Whoever creates the object at the first site, or finds its own
 * position there, owns the identity and goes on; anybody else finds the owner and writes nothing more (DESIGN §3
 * "The store is the identity register"). Throws what a site or the sealer threw.
 */
export async function place({ sample, sites, judged }: Placeable, position: string, deps: PlaceDeps): Promise<Finding> {
  const { submission, sampleSha256, country, decision } = judged;
  const stores = sites.map((site) => storeOf(site, deps.sites));
  const sealed = await deps.sealer.seal(sample, { region: decision.region, policyDigest: decision.policy.digest, sampleSha256, submission });
  const metadata: ObjectMetadata = {
    position, sampleSha256, country, policyDigest: decision.policy.digest, sealedSha256: sealed.sealedSha256, wrappingKey: sealed.wrappingKey,
  };
  const key = objectKey(submission);
  const placements: Placement[] = [];
  for (const store of stores) {
    const result = await store.create(key, sealed.message, metadata);
    const head = result.created ? { ...result, metadata, bytes: sealed.message.length } : result.existing;
    if (head.metadata.position !== position) {
      return placements.length === 0 ? taken(head, judged) : displaced(store.site, judged);
    }
    placements.push(placement(store.site, key, head));
  }
  return { outcome: 'stored', data: { ...judged, placements } };
}

function placement(site: string, key: string, { metadata, bytes, versionId }: ObjectHead): Placement {
  const { sealedSha256, wrappingKey } = metadata;
  return { site, key, sealedSha256, sealedBytes: bytes, wrappingKey, ...(versionId === undefined ? {} : { versionId }) };
}

/** The identity belongs to another record: the same sample again, or another one under its name. */
function taken({ metadata }: ObjectHead, judged: Placeable['judged']): Finding {
  if (metadata.sampleSha256 === judged.sampleSha256 && metadata.country === judged.country) {
    return { outcome: 'duplicate', data: { ...judged, of: metadata.position } };
  }
  return quarantined('IDENTITY_CONFLICT', 'source, id: already used for another sample or country', judged);
}

/** The arbiter gave us the identity and a later site holds another's: the arbiter lost data. A person must look; the flow goes on. */
function displaced(site: string, judged: Placeable['judged']): Finding {
  return quarantined('IDENTITY_CONFLICT', `${site} holds another record's object, which the region's first site does not know; run residency reconcile`, judged);
}

function storeOf(site: string, sites: ReadonlyMap<string, ObjectStore>): ObjectStore {
  const store = sites.get(site);
  if (store === undefined) {
    throw new RoutingError({
      code: 'SITE_NOT_CONFIGURED',
      message: `Expected an object store for site ${site}, which the policy in force names, and found none; add the site to this deployment and restart.`,
      remedy: 'retry',
    });
  }
  return store;
}
