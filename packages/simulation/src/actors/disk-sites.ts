import type { CustodianSite, CustodianSites } from '@residency/custodianship';
import type { ObjectStore, Sites } from '@residency/routing';
import { request } from '../network.ts';
import type { SimBucket } from '../s3/bucket.ts';

type BucketOf = (site: string) => SimBucket;
/** What a flush without an answer is told. */
type Silence = (site: string) => Error;

/**
 * Sites whose objects are visible at once and survive a power cut only after a flush, as those on
 * disks.
 */
export function diskSites(sites: Sites, bucketOf: BucketOf, silence: Silence): Sites {
  const disks = new Map<string, ObjectStore>();
  return {
    store: async (site, region) => {
      const store = await sites.store(site, region);
      let disk = disks.get(site);
      if (disk === undefined) {
        disk = {
          site,
          create: async (...object) => await store.create(...object),
          head: async (...asked) => await store.head(...asked),
          flush: flushOf(site, bucketOf, silence),
        };
        disks.set(site, disk);
      }
      return disk;
    },
  };
}

/** The same for a custodian. */
export function diskCustodianSites(
  sites: CustodianSites,
  bucketOf: BucketOf,
  silence: Silence,
): CustodianSites {
  const disks = new Map<string, CustodianSite>();
  return {
    site: async (name) => {
      const site = await sites.site(name);
      let disk = disks.get(name);
      if (disk === undefined) {
        disk = {
          site: name,
          read: async (...asked) => await site.read(...asked),
          metadata: async (...asked) => await site.metadata(...asked),
          create: async (...object) => await site.create(...object),
          replace: async (...object) => await site.replace(...object),
          // What was set aside survives a power cut in any case (`SimBucket.cutPower`).
          setAside: async (...object) => await site.setAside(...object),
          purge: async (...purged) => await site.purge(...purged),
          flush: flushOf(name, bucketOf, silence),
        };
        disks.set(name, disk);
      }
      return disk;
    },
  };
}

function flushOf(site: string, bucketOf: BucketOf, silence: Silence): () => Promise<void> {
  const bucket = bucketOf(site);
  return async () => {
    await request<undefined>({
      service: `s3:${site}`,
      what: 'flush',
      silence: () => silence(site),
      serve: (answer) => {
        bucket.flush();
        answer.ok(undefined);
      },
    });
  };
}
