import { sha256, tombstoneOf } from '@residency/contracts';
import type { ErasedData, Tombstone } from '@residency/contracts';
import { defined } from '@residency/defined';
import type { Holding } from '@residency/custody';
import { hasCiphertext } from './copy-sample.ts';
import type { RoutersCopy } from './copy-sample.ts';
import type { Debt } from './debt.ts';
import type { CustodianSite, FoundCopy } from './ports/custodian-site.ts';

/** What an event says of a site that has the tombstone. */
export type ErasedSite = ErasedData['sites'][number];

/**
 * Puts a tombstone in the place of the sample and of all else that the site keeps of it
 * (docs/decisions/0049). May be repeated. `mayReplace` judges an intact object of another record.
 * `undefined`: it may not be replaced, or the key changed meanwhile; try again. Throws the site's
 * errors (retry, stop; park concerns this key alone).
 */
export async function eraseAt(
  site: CustodianSite,
  { event, holding }: Debt,
  order: string,
  mayReplace: (found: RoutersCopy) => Promise<boolean>,
): Promise<ErasedSite | undefined> {
  const { submission } = holding;
  const tombstone = tombstoneOf(event, order);
  const found = await site.read(tombstone.key);
  if (isOfAnother(found, holding) && !(await mayReplace(found))) return undefined;
  const standing = isTombstone(found)
    ? found
    : await put(site, tombstone, found, async ({ bytes }) => {
        // Nobody that read these bytes before may keep them aside afterwards.
        if (!hasCiphertext(found, holding))
          await site.purge(tombstone, submission, [sha256(bytes)]);
      });
  if (standing === undefined) return undefined;
  const { versions, setAside, uploads } = await site.purge(tombstone, submission, []);
  return {
    site: site.site,
    sha256: sha256(standing.bytes),
    ...defined({ versionId: standing.versionId }),
    versions,
    setAside,
    uploads,
  };
}

function isOfAnother(found: FoundCopy | undefined, holding: Holding): found is RoutersCopy {
  return (
    found?.metadata !== undefined &&
    found.metadata.erased === undefined &&
    found.metadata.position !== holding.position &&
    !hasCiphertext(found, holding) &&
    sha256(found.bytes) === found.metadata.sealedSha256
  );
}

/** True for a tombstone of any order: the first one stays. */
export function isTombstone(found: FoundCopy | undefined): found is FoundCopy {
  return (
    found?.metadata?.erased !== undefined && sha256(found.bytes) === found.metadata.sealedSha256
  );
}

async function put(
  site: CustodianSite,
  tombstone: Tombstone,
  found: FoundCopy | undefined,
  beforeReplacing: (found: FoundCopy) => Promise<void>,
): Promise<Pick<FoundCopy, 'bytes' | 'versionId'> | undefined> {
  if (found !== undefined) await beforeReplacing(found);
  const put =
    found === undefined ? await site.create(tombstone) : await site.replace(tombstone, found);
  if (put.written) return { bytes: tombstone.bytes, ...defined({ versionId: put.versionId }) };
  // After a lost answer, what has the key by now may be this tombstone.
  const now = await site.read(tombstone.key);
  return isTombstone(now) ? now : undefined;
}

export function erasedData(
  { holding: { position, submission, region } }: Debt,
  order: string,
  sites: readonly ErasedSite[],
): Omit<ErasedData, 'previous'> {
  return { of: position, submission, region, order, sites: [...sites] };
}
