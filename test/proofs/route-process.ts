import { openRouter, openDataDirectory } from '@residency/standalone';

// A router process to be killed: `route-process.ts <data directory> <records a batch>` routes what
// waits and ends.
const [, , directory = '', maxBatchRecords = ''] = process.argv;
const data = await openDataDirectory(directory);
const router = await openRouter(data);
const blocked = await router.run({
  until: 'end',
  signal: new AbortController().signal,
  source: { maxBatchRecords: Number(maxBatchRecords) },
});
await router.release();
await data.close();
if (blocked !== undefined) throw blocked.error;
