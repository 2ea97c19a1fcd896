import type { ObjectStore, Sites } from '@residency/routing';
import { request } from '../network.ts';
import type { SimBucket } from '../s3/bucket.ts';

/**
 * Sites whose objects are visible at once and survive a power cut only after a flush, as those on
 * disks. `silence`: what a flush without an answer is told.
 */
export function diskSites(
  sites: Sites,
  bucketOf: (site: string) => SimBucket,
  silence: (site: string) => Error,
): Sites {
  const disks = new Map<string, ObjectStore>();
  return {
    store: async (site, region) => {
      const store = await sites.store(site, region);
      let disk = disks.get(site);
      if (disk === undefined) {
        const bucket = bucketOf(site);
        disk = {
          site,
          create: async (...object) => await store.create(...object),
          head: async (...asked) => await store.head(...asked),
          flush: async () => {
            await request<undefined>({
              service: `s3:${site}`,
              what: 'flush',
              silence: () => silence(site),
              serve: (answer) => {
                bucket.flush();
                answer.ok(undefined);
              },
            });
          },
        };
        disks.set(site, disk);
      }
      return disk;
    },
  };
}
