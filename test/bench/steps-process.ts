import { FilesystemObjectStore } from '@residency/adapter-filesystem';
import { DEFAULT_LIMITS, INITIAL_CONTROL } from '@residency/contracts';
import { createRouter } from '@residency/routing';
import type { ObjectStore } from '@residency/routing';
import { RegionSealer } from '@residency/sealing';
import { openDataDirectory } from '@residency/standalone';
import { Laps } from './laps.ts';
import type { Workload } from './workload.ts';

// `steps-process.ts <data directory> <workload> <all|one>`: the same router with a clock around
// each port. With one sample in work at a time, the steps of placing are separate.
const [, , directory = '', text = '', inWork = ''] = process.argv;
const { count }: Workload = JSON.parse(text);
const laps = new Laps();
const data = await openDataDirectory(directory);
const sealer = new RegionSealer(data.keys);
const [consents, policies] = [data.log.consentView(), data.log.policyView()];
let [sealing, flushing] = [false, false];

function clocked(site: string, region: string): ObjectStore {
  const store = new FilesystemObjectStore(data.sitePath(site), { site, region });
  return {
    site,
    create: (key, sealed, metadata) =>
      laps.within(`create ${site}`, () => store.create(key, sealed, metadata)),
    head: (key) => store.head(key),
    flush: async () => {
      if (!flushing) laps.lap('place');
      flushing = true;
      await store.flush();
      laps.lap('flush');
    },
  };
}

const stores = new Map<string, ObjectStore>();
function storeOf(site: string, region: string): ObjectStore {
  const store = stores.get(site) ?? clocked(site, region);
  stores.set(site, store);
  return store;
}

const route = createRouter({
  limits: inWork === 'one' ? { ...DEFAULT_LIMITS, inFlightBytes: 1 } : DEFAULT_LIMITS,
  control: { read: async () => INITIAL_CONTROL },
  watermarkMarginMs: 0,
  outcomes: data.log.settledOutcomes(),
  sealer: {
    seal: (sample, context) => {
      if (!sealing) laps.lap('judge');
      sealing = true;
      return laps.within('seal', () => sealer.seal(sample, context));
    },
  },
  // The router reads both views concurrently, this one first. The later result ends the step.
  consents: {
    read: async (ids) => {
      laps.lap('decode');
      const reading = await consents.read(ids);
      laps.lap('views');
      return reading;
    },
  },
  policies: {
    read: async () => {
      const reading = await policies.read();
      laps.lap('views');
      return reading;
    },
  },
  sites: { store: async (site, region) => storeOf(site, region) },
});

laps.start();
const blocked = await data.log.submissionLog().consume(
  async (batch) => {
    laps.lap('read and settle');
    [sealing, flushing] = [false, false];
    const result = await route(batch);
    laps.lap('events');
    return result;
  },
  { until: 'end', signal: new AbortController().signal },
);
laps.lap('read and settle');
await data.close();
if (blocked !== undefined) throw blocked.error;
process.stdout.write(JSON.stringify(laps.microseconds(count)));
