import { randomBytes } from 'node:crypto';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { sdkClient } from '../sdk-client.ts';
import type { Place } from '../sdk-client.ts';
import { endWithParent, letGo, sendToParent } from '../stack/parent.ts';

/** Replaces objects that it made itself, in buckets of its own. */
export interface FloorOrder {
  readonly places: readonly Place[];
  readonly count: number;
  /** Of an object before it is replaced. */
  readonly bytes: number;
}

// The least that an erasure takes: one conditional PUT of a tombstone at each site. Nothing is read
// or listed, no log is followed, nobody is told.
const AT_A_TIME = 16;
const METADATA = Object.fromEntries(
  ['position', 'sample-sha256', 'country', 'policy', 'sealed-sha256', 'key', 'erased'].map(
    (name) => [name, 'x'.repeat(40)],
  ),
);
const TOMBSTONE = Buffer.from(
  `${JSON.stringify({ erased: 'x'.repeat(36), submission: 'x'.repeat(64) })}\n`,
);
endWithParent();
const [, , text = ''] = process.argv;
const { places, count, bytes }: FloorOrder = JSON.parse(text);
const sites = places.map((place) => ({
  client: sdkClient(place),
  bucket: place.bucket,
  etags: new Map<string, string | undefined>(),
}));
const keys = Array.from({ length: count }, () => {
  const name = randomBytes(32).toString('hex');
  return `samples/${name.slice(0, 2)}/${name.slice(2, 4)}/${name}`;
});

async function create(key: string): Promise<void> {
  for (const { client, bucket, etags } of sites) {
    const { ETag } = await client.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: randomBytes(bytes),
        Metadata: METADATA,
        IfNoneMatch: '*',
      }),
    );
    etags.set(key, ETag);
  }
}

async function replace(key: string): Promise<void> {
  for (const { client, bucket, etags } of sites)
    await client.send(
      new PutObjectCommand({
        Bucket: bucket,
        Key: key,
        Body: TOMBSTONE,
        Metadata: METADATA,
        IfMatch: etags.get(key),
      }),
    );
}

async function forEachKey(work: (key: string) => Promise<void>): Promise<void> {
  let next = 0;
  await Promise.all(
    Array.from({ length: AT_A_TIME }, async () => {
      for (let key = keys[next++]; key !== undefined; key = keys[next++]) await work(key);
    }),
  );
}

await forEachKey(create);
process.once('message', () => {
  const start = performance.now();
  void forEachKey(replace).then(() => {
    sendToParent({ seconds: (performance.now() - start) / 1e3 });
  });
});
sendToParent({ ready: true });
await letGo();
