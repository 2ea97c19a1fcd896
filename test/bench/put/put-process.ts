import { Agent, request } from 'node:http';
import { HeadObjectCommand, PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { S3ObjectStore } from '@residency/adapter-s3';
import type { S3SiteSettings } from '@residency/adapter-s3';
import { encodeObjectMetadata, objectKey, sha256 } from '@residency/contracts';
import { Meter } from '../meter.ts';
import { sampleOf } from '../workload.ts';
import type { PutOrder } from './put.ts';

// `put-process.ts <order>`: so many objects put, or heads asked for, by one client at an endpoint
// that keeps nothing, 64 at a time. What is printed is the timed part's.
const AT_A_TIME = 64;
const [, , text = ''] = process.argv;
const { subject, operation, endpoint, bytes, count }: PutOrder = JSON.parse(text);

const settings: S3SiteSettings = {
  site: 'bench',
  region: 'bench',
  bucket: 'bench',
  endpoint,
  awsRegion: 'us-east-1',
  pathStyle: true,
  checksums: 'WHEN_REQUIRED',
  credentials: { accessKeyId: 'bench', secretAccessKey: 'bench' },
  maxSockets: AT_A_TIME,
};
const sealed = sampleOf({ bytes, count, region: 'zurich' }, 0);
const digest = sha256(sealed);
const metadata = {
  position: 'bench/threat.samples/0/1',
  sampleSha256: digest,
  country: 'CH',
  policyDigest: digest,
  sealedSha256: digest,
  wrappingKey: 'zurich-20260101T000000Z-0a1b2c3d',
};

type Work = (key: string) => Promise<unknown>;

/** The adapter's own: a created object is a HEAD and a PUT. */
function product(): Record<PutOrder['operation'], Work> {
  const store = new S3ObjectStore(settings);
  return {
    create: (key) => store.create(key, sealed, metadata),
    head: (key) => store.head(key),
  };
}

/** The same requests by the SDK, with the settings that the adapter gives it for the rest. */
function sdk(): Record<PutOrder['operation'], Work> {
  const { credentials = { accessKeyId: '', secretAccessKey: '' } } = settings;
  const agent = { keepAlive: true, maxSockets: AT_A_TIME };
  const client = new S3Client({
    region: settings.awsRegion,
    endpoint,
    forcePathStyle: true,
    credentials,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    maxAttempts: 1,
    expectContinueHeader: false,
    requestHandler: { connectionTimeout: 3_000, requestTimeout: 30_000, httpAgent: agent },
  });
  const head: Work = async (key) => {
    await client.send(new HeadObjectCommand({ Bucket: 'bench', Key: key })).catch(() => undefined);
  };
  return {
    head,
    create: async (key) => {
      await head(key);
      await client.send(
        new PutObjectCommand({
          Bucket: 'bench',
          Key: key,
          Body: sealed,
          ContentType: 'application/octet-stream',
          IfNoneMatch: '*',
          Metadata: encodeObjectMetadata(metadata),
        }),
      );
    },
  };
}

/** Plain HTTP by Node, nothing signed, no metadata. */
function floor(): Record<PutOrder['operation'], Work> {
  const agent = new Agent({ keepAlive: true, maxSockets: AT_A_TIME });
  const send = (method: 'HEAD' | 'PUT', key: string, body?: Buffer): Promise<void> => {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const headers = body === undefined ? {} : { 'content-length': body.length };
    request(`${endpoint}/bench/${key}`, { method, agent, headers }, (answer) => {
      answer.resume().once('end', resolve).once('error', reject);
    })
      .once('error', reject)
      .end(body);
    return promise;
  };
  return {
    head: (key) => send('HEAD', key),
    create: async (key) => {
      await send('HEAD', key);
      await send('PUT', key, sealed);
    },
  };
}

const work = { product, sdk, floor }[subject]()[operation];
let next = 0;

async function run(until: number): Promise<void> {
  await Promise.all(
    Array.from({ length: AT_A_TIME }, async () => {
      while (next < until) {
        next += 1;
        await work(objectKey(sha256(Buffer.from(String(next)))));
      }
    }),
  );
}

const meter = new Meter();
const warming = Math.min(3_000, count);
await run(warming);
await meter.time(() => run(warming + count));
process.stdout.write(JSON.stringify(meter.measurement), () => process.exit());
