import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { openKafkaLog } from '@residency/adapter-kafka';
import { TOPICS } from '@residency/contracts';
import { createLogger } from '@residency/telemetry';
import { Floor } from '../floor.ts';

// The floor as a peer: an example of what a command for `--peer` gets and does.

function given(name: string): string {
  const value = process.env[`RESIDENCY_BENCH_${name}`];
  if (value === undefined)
    throw new Error(
      `Expected RESIDENCY_BENCH_${name}, found none; run this by npm run bench:stack -- --peer.`,
    );
  return value;
}

const log = await openKafkaLog(
  {
    brokers: given('BROKERS').split(','),
    clientId: 'residency-bench-peer',
    log: 'bench-peer',
    topicPrefix: given('TOPIC').slice(0, -TOPICS.samples.length),
  },
  createLogger({ level: 'warn' }),
);
const floor = new Floor(
  given('BUCKETS')
    .split(',')
    .map((bucket) => `${given('ENDPOINT')}/${bucket}`),
);
const count = await floor.store(log.read(TOPICS.samples, { until: 'end' }));
if (count !== Number(given('COUNT')))
  throw new Error(`Expected ${given('COUNT')} samples in the topic, found ${count}.`);
await log.close();
await writeFile(given('END_FILE'), '');
// As a service would, until it is ended. Ending with 0 would do as well.
await sleep(2 ** 31 - 1);
