import { KeyDirectory } from '@residency/adapter-filesystem';
import { RedisConsentView } from '@residency/adapter-redis';
import { S3Sites } from '@residency/adapter-s3';
import { DEFAULT_LIMITS, INITIAL_CONTROL } from '@residency/contracts';
import { createRouter, verifyRegions } from '@residency/routing';
import type { ObjectStore, RouterDeps } from '@residency/routing';
import { RegionSealer } from '@residency/sealing';
import { retryUntilReady } from '@residency/waiting';
import { MainThreadProfile } from './main-thread-profile.ts';
import type { MainThread } from './main-thread-profile.ts';
import type { StepsOrder } from './orders.ts';
import { endWithParent, letGo, sendToParent } from './parent.ts';
import { openLog, settingsOfEnvironment } from './settings.ts';
import { StepClock } from './step-clock.ts';

// The router's parts, composed as the service does, with a clock around each port. All samples are
// in one partition, so that one batch is in work at a time and its steps are sequential. With one
// sample in work at a time, the steps of placing are sequential too.
const [, , text = ''] = process.argv;
const { count, mode }: StepsOrder = JSON.parse(text);
endWithParent();
const settings = settingsOfEnvironment();
const clock = new StepClock();
const log = await openLog(settings);
const redis = new RedisConsentView(settings.redis);
const policies = log.policyView();
const s3 = new S3Sites(settings.sites);
const keys = new KeyDirectory(settings.keys.directory);
const sealer = new RegionSealer(keys);
// As the service does before it begins, so that the sites are known and connected.
await retryUntilReady(
  async () => {
    await verifyRegions((await policies.read()).versions, {
      control: INITIAL_CONTROL,
      sites: s3,
      keys,
    });
  },
  { signal: new AbortController().signal, waits: () => undefined },
);
const { inFlightBytes, watermarkMarginMs, ...batches } = settings.routing;

let [sealing, flushing] = [false, false];
const stores = new Map<ObjectStore, ObjectStore>();

function clocked(store: ObjectStore): ObjectStore {
  return {
    site: store.site,
    create: (key, sealed, metadata) =>
      clock.within(`put ${store.site}`, () => store.create(key, sealed, metadata)),
    head: (key) => store.head(key),
    flush: async () => {
      if (!flushing) clock.lap('place');
      flushing = true;
      await store.flush();
      clock.lap('flush');
    },
  };
}

/** Returns the same wrapper each time, as the port requires. */
function clockedOnce(store: ObjectStore): ObjectStore {
  const known = stores.get(store) ?? clocked(store);
  stores.set(store, known);
  return known;
}

const plain: RouterDeps = {
  limits: { ...DEFAULT_LIMITS, inFlightBytes },
  watermarkMarginMs,
  control: { read: async () => INITIAL_CONTROL },
  sealer,
  consents: redis,
  policies,
  sites: s3,
  outcomes: log.settledOutcomes(),
};
const clocks: RouterDeps = {
  limits: mode === 'one' ? { ...DEFAULT_LIMITS, inFlightBytes: 1 } : plain.limits,
  watermarkMarginMs,
  control: { read: async () => INITIAL_CONTROL },
  outcomes: plain.outcomes,
  sealer: {
    seal: (sample, context) => {
      if (!sealing) clock.lap('judge');
      sealing = true;
      return clock.within('seal', () => sealer.seal(sample, context));
    },
  },
  // The router reads both views concurrently, this one first. The later result ends the step.
  consents: {
    read: async (ids) => {
      clock.lap('decode');
      const reading = await redis.read(ids);
      clock.lap('views');
      return reading;
    },
  },
  policies: {
    read: async () => {
      const reading = await policies.read();
      clock.lap('views');
      return reading;
    },
  },
  sites: { store: async (site, region) => clockedOnce(await s3.store(site, region)) },
};

const route = createRouter(mode === 'profiled' ? plain : clocks);
let profile: MainThreadProfile | undefined;
let stopped: Promise<MainThread> | undefined;
let settled = 0;
const blocked = await log.submissionLog(batches).consume(
  async (batch) => {
    if (mode === 'profiled') profile ??= await MainThreadProfile.start();
    clock.lap('wait for records');
    [sealing, flushing] = [false, false];
    const result = await route(batch);
    clock.lap('events');
    return result;
  },
  {
    until: 'end',
    signal: new AbortController().signal,
    settled: ({ settlements }) => {
      clock.lap('settle');
      settled += settlements.length;
      // Leaving the group does not count.
      if (settled === count) stopped = profile?.stop();
    },
  },
);
const mainThread = await stopped;
await log.close();
await redis.close();
s3.close();
if (blocked !== undefined) throw blocked.error;
if (settled !== count)
  throw new Error(
    `Expected ${count} records settled, found ${settled}: the figures would be those of something else.`,
  );
sendToParent(
  mainThread === undefined
    ? clock.steps(count)
    : Object.fromEntries(
        Object.entries(mainThread).map(([asker, microseconds]) => [asker, microseconds / count]),
      ),
);
await letGo();
process.exit();
