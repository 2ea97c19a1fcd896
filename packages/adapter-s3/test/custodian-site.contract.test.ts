import { decodeObjectMetadata } from '@residency/contracts';
import { describeCustodianSite } from '@residency/testkit';
import { S3Bucket } from '../src/s3-client.ts';
import { S3CustodianSite } from '../src/s3-custodian-site.ts';
import { S3ObjectStore } from '../src/s3-object-store.ts';
import type { S3SiteSettings } from '../src/s3-settings.ts';
import { FakeBucket, SOME_SETTINGS } from './fake-bucket.ts';
import { emptyBucket } from './some-bucket.ts';

const PREFIX = 'x-amz-meta-';

for (const checksums of ['WHEN_REQUIRED', 'WHEN_SUPPORTED'] as const) {
  describeCustodianSite(`S3CustodianSite with checksums ${checksums}`, async () => {
    const bucket = await emptyBucket();
    const settings: S3SiteSettings = { ...bucket.settings, checksums };
    const opened: { close(): void }[] = [];
    const kept = <T extends { close(): void }>(one: T): T => {
      opened.push(one);
      return one;
    };
    return {
      open: () => kept(new S3CustodianSite(settings, new S3Bucket(settings))),
      router: () => kept(new S3ObjectStore(settings)),
      put: async (key, bytes) => {
        const { status, body } = await bucket.request('PUT', key, {
          body: bytes,
          headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
        });
        if (status !== 200) throw new Error(`PUT: ${status} ${body.toString()}`);
      },
      remove: async (key) => {
        await bucket.request('DELETE', key);
      },
      look: async (key) => {
        const { status, headers, body } = await bucket.request('GET', key);
        if (status !== 200) return undefined;
        const metadata = Object.fromEntries(
          Object.entries(headers)
            .filter(([name]) => name.startsWith(PREFIX))
            .map(([name, value]) => [name.slice(PREFIX.length), value]),
        );
        return Object.keys(metadata).length === 0
          ? { bytes: body }
          : { bytes: body, metadata: decodeObjectMetadata(metadata) };
      },
      keys: async () =>
        [
          ...(await bucket.request('GET', '?list-type=2')).body
            .toString()
            .matchAll(/<Key>([^<]*)<\/Key>/g),
        ]
          .map(([, key = '']) => key)
          .toSorted(),
      close: async () => {
        for (const one of opened) one.close();
      },
    };
  });
}

describeCustodianSite('S3CustodianSite over a bucket in memory', async () => {
  const bucket = new FakeBucket();
  let puts = 0;
  return {
    open: () => new S3CustodianSite(SOME_SETTINGS, bucket),
    router: () => new S3ObjectStore(SOME_SETTINGS, bucket),
    put: async (key, bytes) => {
      puts += 1;
      bucket.objects.set(key, { bytes: Buffer.from(bytes), metadata: {}, etag: `"put-${puts}"` });
    },
    remove: async (key) => {
      bucket.objects.delete(key);
    },
    look: async (key) => {
      const found = bucket.objects.get(key);
      if (found === undefined) return undefined;
      return Object.keys(found.metadata).length === 0
        ? { bytes: found.bytes }
        : { bytes: found.bytes, metadata: decodeObjectMetadata(found.metadata) };
    },
    keys: async () => [...bucket.objects.keys()].toSorted(),
    close: async () => {},
  };
});
