import { openDataDirectory, openRouter } from '@residency/standalone';
import { Meter } from './meter.ts';

// `subject-process.ts <data directory> <records>`: the standalone router, from the first record
// waiting to the last one settled.
const [, , directory = '', count = ''] = process.argv;
const meter = new Meter();
let stored = 0;
const data = await openDataDirectory(directory);
const router = await openRouter(data);
const blocked = await meter.time(() =>
  router.run({
    until: 'end',
    signal: new AbortController().signal,
    settled: ({ settlements }) => {
      stored += settlements.filter(({ event }) => event.outcome === 'stored').length;
    },
  }),
);
await router.release();
await data.close();
if (blocked !== undefined) throw blocked.error;
if (stored !== Number(count))
  throw new Error(
    `Expected ${count} samples stored, found ${stored}: the figures would not be those of storing.`,
  );
process.stdout.write(JSON.stringify(meter.measurement));
