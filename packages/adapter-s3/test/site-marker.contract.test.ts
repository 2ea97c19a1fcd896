import { encodeSiteMarker } from '@residency/contracts';
import type { SiteIdentity } from '@residency/contracts';
import { describeSiteMarker } from '@residency/testkit';
import type { MarkedSite } from '@residency/testkit';
import type { PurgingCalls } from '../src/s3-calls.ts';
import { S3CustodianSites } from '../src/s3-custodian-sites.ts';
import type { S3SiteSettings } from '../src/s3-settings.ts';
import { S3Sites } from '../src/s3-sites.ts';
import type { S3SitesOptions } from '../src/s3-sites.ts';
import { failure } from '../src/site-failure.ts';
import { FakeBucket, SOME_SETTINGS } from './fake-bucket.ts';
import { FaultProxy } from './fault-proxy.ts';
import { siteBucket } from './some-bucket.ts';

const MARKER = 'residency-site.json';

interface Opened extends Pick<MarkedSite, 'create'> {
  close(): void;
}
type Open = (settings: S3SiteSettings, options: S3SitesOptions<PurgingCalls>) => Promise<Opened>;

const asRouter: Open = async (settings, options) => {
  const sites = new S3Sites([settings], options);
  const store = await sites.store(settings.site, settings.region);
  return {
    create: async ({ key, sealed, metadata }) =>
      (await store.create(key, sealed, metadata)).created,
    close: () => {
      sites.close();
    },
  };
};

const asCustodian: Open = async (settings, options) => {
  const sites = new S3CustodianSites([settings], options);
  const custodian = await sites.site(settings.site, settings.region);
  return {
    create: async ({ key, sealed: bytes, metadata }) =>
      (await custodian.create({ key, bytes, metadata })).written,
    close: () => {
      sites.close();
    },
  };
};

async function siteOnAServer(open: Open): Promise<MarkedSite> {
  const bucket = await siteBucket();
  const proxy = new FaultProxy(bucket.settings.endpoint ?? '');
  const { site, region } = bucket.settings;
  let clock = 0;
  const settings = { ...bucket.settings, endpoint: await proxy.listen(), attempts: 1 };
  const opened = await open(settings, { now: () => clock });
  return {
    create: (object) => opened.create(object),
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
      opened.close();
      await proxy.close();
    },
  };
}

async function siteInMemory(open: Open): Promise<MarkedSite> {
  const { site, region } = SOME_SETTINGS;
  const bucket = new FakeBucket();
  const mark = async (identity: SiteIdentity | undefined): Promise<void> => {
    if (identity === undefined) bucket.objects.delete(MARKER);
    else bucket.objects.set(MARKER, { bytes: encodeSiteMarker(identity), metadata: {} });
  };
  await mark({ site, region });
  let clock = 0;
  const opened = await open(SOME_SETTINGS, { open: () => bucket, now: () => clock });
  return {
    create: (object) => opened.create(object),
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
      opened.close();
    },
  };
}

describeSiteMarker('S3Sites', () => siteOnAServer(asRouter));
describeSiteMarker('S3CustodianSites', () => siteOnAServer(asCustodian));
describeSiteMarker('S3Sites over a bucket in memory', () => siteInMemory(asRouter));
describeSiteMarker('S3CustodianSites over a bucket in memory', () => siteInMemory(asCustodian));
