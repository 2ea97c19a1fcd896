import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { KeyDirectory } from '@residency/adapter-filesystem';
import { S3Sites } from '@residency/adapter-s3';
import type { S3SiteSettings } from '@residency/adapter-s3';
import { SITE_PROBE_KEY, encodeSiteMarker, readPolicy } from '@residency/contracts';
import { defined } from '@residency/defined';
import { RegionSealer, generateRegionKey } from '@residency/sealing';
import { createLogger, createMetrics } from '@residency/telemetry';
import { RoutingWorld } from '@residency/testkit';
import { Meter } from '../meter.ts';
import { sampleOf } from '../workload.ts';
import type { Workload } from '../workload.ts';

// `overhead-process.ts <workload> <on|off>`: the use case with real sealing over stores that take
// nothing but a turn of the event loop, with metrics and logs as the router has them by default, or
// without.
const [, , text = '', telemetry = ''] = process.argv;
const { bytes, count, region }: Workload = JSON.parse(text);
const BATCH = 500;
const SCRAPE_MS = 1_000;
const SITES = [
  ['zrh-1', 'zurich'],
  ['zrh-2', 'zurich'],
  ['mow-1', 'moscow'],
] as const;
const folder = await mkdtemp(join(tmpdir(), 'residency-overhead-'));
const keys = new KeyDirectory(join(folder, 'keys'));
for (const name of ['zurich', 'moscow'])
  await keys.add(name, await generateRegionKey(name, Date.now()));
const on = telemetry === 'on';
const metrics = on
  ? createMetrics({ service: 'router', version: 'bench', now: Date.now })
  : undefined;
const logger =
  metrics === undefined
    ? undefined
    : createLogger({
        level: 'info',
        onProblem: metrics.logged,
        destination: { write: () => undefined },
      });
const routed = metrics?.routing(
  ['zurich', 'moscow'],
  SITES.map(([site]) => site),
);
const requests = metrics?.requests(SITES.map(([site]) => site));
const settings = SITES.map(([site, where]): S3SiteSettings => ({
  site,
  region: where,
  bucket: 'bench',
  awsRegion: 'bench',
  pathStyle: true,
  checksums: 'WHEN_REQUIRED',
}));
const sites = new S3Sites(settings, {
  ...defined({ onRequest: requests?.requested }),
  open: ({ site, region: where }) => ({
    putIfAbsent: async ({ key }) => ({ put: key === SITE_PROBE_KEY ? 'exists' : 'created' }),
    head: async () => undefined,
    peek: async () => undefined,
    list: async () => ({ keys: [] }),
    renew: () => undefined,
    close: () => undefined,
    get: async () => ({
      metadata: {},
      bytes: Buffer.from(encodeSiteMarker({ region: where, site })),
    }),
  }),
});
const world = new RoutingWorld()
  .policy(
    readPolicy(await readFile(new URL('../../../policy/residency-1.json', import.meta.url)))
      .document,
  )
  .granted(0);
const country = region === 'zurich' ? 'CH' : 'RU';
const overrides = {
  sealer: new RegionSealer(keys),
  sites,
  ...defined({ onStage: routed?.stage }),
};
const meter = new Meter();
let next = 0;
// Includes the cost of scrapes, fifteen times as often as by default.
const scraping =
  metrics === undefined
    ? undefined
    : setInterval(() => {
        void metrics.render();
      }, SCRAPE_MS);
for (const warming of [true, false]) {
  for (let done = 0; done < (warming ? BATCH : count); done += BATCH) {
    world.records.length = 0;
    for (let index = 0; index < BATCH; index += 1, next += 1)
      world.submit(Date.now(), {
        id: `s-${next}`,
        country,
        sample: sampleOf({ bytes, count, region }, next),
      });
    const route = async (): Promise<void> => {
      const { settlements, blocked } = await world.route(overrides);
      if (blocked !== undefined || settlements.length !== BATCH)
        throw new Error(
          'Expected the whole batch to settle: the figures would not be those of storing.',
        );
      logger?.debug('A batch.');
      if (routed !== undefined) for (const { event } of settlements) routed.settled(event);
      routed?.transaction('commit', 1);
    };
    await (warming ? route() : meter.time(route));
  }
}
clearInterval(scraping);
sites.close();
await rm(folder, { recursive: true, force: true });
process.stdout.write(JSON.stringify(meter.measurement));
