import { writeSync } from 'node:fs';
import { openDataDirectory } from '@residency/standalone';
import { SeededRandom } from './seeded-random.ts';
import { Traffic } from './traffic.ts';

// A publisher process to be killed: `publish-process.ts <data directory> <seed> <records> <from>`
// publishes the traffic a few records at a time, and reports its progress after each
// acknowledgement.
const [, , directory = '', seed = '', count = '', first = ''] = process.argv;
const traffic = new Traffic(Number(seed), Number(count));
const random = new SeededRandom(Number(seed));
const data = await openDataDirectory(directory);
for (let from = Number(first); from < Number(count);) {
  const to = Math.min(Number(count), from + 1 + random.below(4));
  await data.log.append(traffic.entries(from, to));
  writeSync(1, `${to}\n`);
  from = to;
}
await data.close();
