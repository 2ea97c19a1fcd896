import { describeObjectStore } from '@residency/testkit';
import { S3ObjectStore } from '../src/s3-object-store.ts';
import type { S3SiteSettings } from '../src/s3-settings.ts';
import { FakeBucket, SOME_SETTINGS } from './fake-bucket.ts';
import { emptyBucket } from './some-bucket.ts';

for (const checksums of ['WHEN_REQUIRED', 'WHEN_SUPPORTED'] as const) {
  describeObjectStore(`S3ObjectStore with checksums ${checksums}`, async () => {
    const bucket = await emptyBucket();
    const settings: S3SiteSettings = { ...bucket.settings, checksums };
    const opened: S3ObjectStore[] = [];
    return {
      open: () => {
        const store = new S3ObjectStore(settings);
        opened.push(store);
        return store;
      },
      read: (key) => bucket.read(key),
      count: async () =>
        (await bucket.request('GET', '?list-type=2')).body.toString().match(/<Key>samples\//g)
          ?.length ?? 0,
      close: async () => {
        for (const store of opened) store.close();
      },
    };
  });
}

describeObjectStore('S3ObjectStore over a bucket in memory', async () => {
  const bucket = new FakeBucket();
  return {
    open: () => new S3ObjectStore(SOME_SETTINGS, bucket),
    read: async (key) => bucket.objects.get(key)?.bytes,
    count: async () => bucket.objects.size,
    close: async () => {},
  };
});
