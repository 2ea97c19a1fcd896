import { SITE_MARKER_KEY, SITE_PROBE_KEY, objectKey, setAsideKey } from '@residency/contracts';
import { describeSubmissionList } from '@residency/testkit';
import { S3SiteReader } from '../src/s3-site-reader.ts';
import { FakeBucket, SOME_SETTINGS } from './fake-bucket.ts';
import { siteBucket } from './some-bucket.ts';

const ANY = 'a'.repeat(64);
const OTHERS = [
  setAsideKey(ANY, ANY),
  'samples/stray',
  `samples/ff/ff/${ANY}`,
  `samples/a/${ANY}`,
  `more/${objectKey(ANY)}`,
];

describeSubmissionList('S3SiteReader', async () => {
  const bucket = await siteBucket();
  const readers: S3SiteReader[] = [];
  const put = async (key: string): Promise<void> => {
    const { status } = await bucket.request('PUT', key, {
      body: 'x',
      headers: { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
    });
    if (status !== 200) throw new Error(`PUT: ${status}`);
  };
  return {
    many: 64,
    open: () => {
      const reader = new S3SiteReader(bucket.settings);
      readers.push(reader);
      return reader;
    },
    create: async (submissions) => {
      await Promise.all(submissions.map((submission) => put(objectKey(submission))));
    },
    putOthers: async () => {
      for (const key of OTHERS) await put(key);
    },
    close: async () => {
      for (const reader of readers) reader.close();
    },
  };
});

describeSubmissionList('S3SiteReader over a bucket in memory', async () => {
  const bucket = new FakeBucket();
  const put = (key: string): void => {
    bucket.objects.set(key, { bytes: Buffer.from('x'), metadata: {} });
  };
  put(SITE_MARKER_KEY);
  return {
    // More than a page of each digit.
    many: 20_000,
    open: () => new S3SiteReader(SOME_SETTINGS, { calls: bucket }),
    create: async (submissions) => {
      for (const submission of submissions) put(objectKey(submission));
    },
    putOthers: async () => {
      for (const key of [...OTHERS, SITE_PROBE_KEY]) put(key);
    },
    close: async () => {},
  };
});
