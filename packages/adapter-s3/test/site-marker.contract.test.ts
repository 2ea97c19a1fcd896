import { encodeSiteMarker } from '@residency/contracts';
import { describeSiteMarker } from '@residency/testkit';
import { S3Sites } from '../src/s3-sites.ts';
import { failure } from '../src/site-failure.ts';
import { FakeBucket, SOME_SETTINGS } from './fake-bucket.ts';
import { FaultProxy } from './fault-proxy.ts';
import { siteBucket } from './some-bucket.ts';

const MARKER = 'residency-site.json';

describeSiteMarker('S3Sites', async () => {
  const bucket = await siteBucket();
  const proxy = new FaultProxy(bucket.settings.endpoint ?? '');
  const { site, region } = bucket.settings;
  let clock = 0;
  const settings = { ...bucket.settings, endpoint: await proxy.listen(), attempts: 1 };
  const sites = new S3Sites([settings], { now: () => clock });
  return {
    store: await sites.store(site, region),
    identity: { site, region },
    mark: async (identity) => {
      await (identity === undefined
        ? bucket.request('DELETE', MARKER)
        : bucket.request('PUT', MARKER, { body: encodeSiteMarker(identity) }));
    },
    pass: (milliseconds) => {
      clock += milliseconds;
    },
    whileUnreachable: async (work) => {
      for (const method of ['PUT', 'HEAD', 'GET'])
        proxy.always(method, { status: 503, code: 'SlowDown' });
      await work();
      proxy.heal();
    },
    count: async () =>
      (await bucket.request('GET', '?list-type=2')).body.toString().match(/<Key>samples\//g)
        ?.length ?? 0,
    close: async () => {
      sites.close();
      await proxy.close();
    },
  };
});

describeSiteMarker('S3Sites over a bucket in memory', async () => {
  const { site, region } = SOME_SETTINGS;
  const bucket = new FakeBucket();
  const mark: (
    identity: { readonly site: string; readonly region: string } | undefined,
  ) => Promise<void> = async (identity) => {
    if (identity === undefined) bucket.objects.delete(MARKER);
    else bucket.objects.set(MARKER, { bytes: encodeSiteMarker(identity), metadata: {} });
  };
  await mark({ site, region });
  let clock = 0;
  const sites = new S3Sites([SOME_SETTINGS], { open: () => bucket, now: () => clock });
  return {
    store: await sites.store(site, region),
    identity: { site, region },
    mark,
    pass: (milliseconds) => {
      clock += milliseconds;
    },
    whileUnreachable: async (work) => {
      const head = bucket.head.bind(bucket);
      bucket.head = async () => {
        throw failure(site, 'SITE_UNREACHABLE', 'ECONNREFUSED');
      };
      await work();
      bucket.head = head;
    },
    count: async () =>
      [...bucket.objects.keys()].filter((key) => key.startsWith('samples/')).length,
    close: async () => {
      sites.close();
    },
  };
});
