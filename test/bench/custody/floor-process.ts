import { createHash } from 'node:crypto';
import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { sdkClient } from '../sdk-client.ts';
import type { Place } from '../sdk-client.ts';
import { endWithParent, letGo, sendToParent } from '../stack/parent.ts';

/** Copies the objects of one bucket under new keys of another. */
export interface FloorOrder {
  readonly from: Place;
  readonly to: Place;
  /** In the source's keys. */
  readonly prefix: string;
  /** Before the keys of the copies. */
  readonly under: string;
  readonly count: number;
}

// The least that a copy takes: read the object, hash it, create it. No log, no comparison, nothing
// read at the destination, nobody told.
const AT_A_TIME = 16;
endWithParent();
const [, , text = ''] = process.argv;
const { from, to, prefix, under, count }: FloorOrder = JSON.parse(text);
const [source, sink] = [sdkClient(from), sdkClient(to)];

async function keys(): Promise<readonly string[]> {
  const found: string[] = [];
  for (let token: string | undefined; found.length < count;) {
    const page = await source.send(
      new ListObjectsV2Command({ Bucket: from.bucket, Prefix: prefix, ContinuationToken: token }),
    );
    found.push(...(page.Contents ?? []).flatMap(({ Key }) => (Key === undefined ? [] : [Key])));
    token = page.NextContinuationToken;
    if (token === undefined) break;
  }
  return found.slice(0, count);
}

async function copy(key: string): Promise<void> {
  const { Body, Metadata } = await source.send(
    new GetObjectCommand({ Bucket: from.bucket, Key: key }),
  );
  const bytes = await Body?.transformToByteArray();
  if (bytes === undefined) throw new Error(`Expected bytes at ${key}, found none.`);
  createHash('sha256').update(bytes).digest('hex');
  await sink.send(
    new PutObjectCommand({
      Bucket: to.bucket,
      Key: `${under}/${key}`,
      Body: bytes,
      Metadata,
      IfNoneMatch: '*',
    }),
  );
}

const all = await keys();
const [cpu, start] = [process.cpuUsage(), performance.now()];
let next = 0;
await Promise.all(
  Array.from({ length: AT_A_TIME }, async () => {
    for (let key = all[next++]; key !== undefined; key = all[next++]) await copy(key);
  }),
);
const { user, system } = process.cpuUsage(cpu);
sendToParent({
  copies: all.length,
  seconds: (performance.now() - start) / 1e3,
  cpuSeconds: (user + system) / 1e6,
});
await letGo();
