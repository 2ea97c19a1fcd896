// Consumes until SIGTERM, and says what it does, one JSON array a line. On `go` from standard input
// it goes on where it holds.
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import type { BatchResult } from '@residency/routing';
import { settlementsOf } from '@residency/testkit';
import type { ChildPlan } from '../child.ts';
import { openKafkaLog } from '../../../src/kafka-log.ts';

const { settings, options, paceMs, holdFrom } = JSON.parse(process.argv[2] ?? '') as ChildPlan;
const say = (...what: readonly unknown[]): void => {
  process.stdout.write(`${JSON.stringify(what)}\n`);
};
const quiet = (): void => {
  /* Its lines say it. */
};
const input = createInterface({ input: process.stdin });

const stop = new AbortController();
process.once('SIGTERM', () => {
  stop.abort();
});

const log = await openKafkaLog(settings, { debug: quiet, info: quiet, warn: quiet, error: quiet });
let batches = 0;
await log
  .submissionLog({
    ...options,
    onTransaction: (result) => {
      say('transaction', result);
    },
    onRetry: ({ code }) => {
      say('retry', code);
    },
    onRebalanced: (partitions) => {
      say('assigned', partitions);
    },
  })
  .consume(
    async (batch): Promise<BatchResult> => {
      batches += 1;
      say(
        'batch',
        batch.partition,
        String(batch.records[0]?.offset),
        String(batch.records.at(-1)?.offset),
      );
      if (batches === holdFrom) await once(input, 'line');
      else await sleep(paceMs);
      return { settlements: settlementsOf(batch) };
    },
    {
      until: 'aborted',
      signal: stop.signal,
      settled: ({ settlements }) => {
        say('settled', settlements.length);
      },
    },
  );
await log.close();
input.close();
process.stdin.destroy();
say('end');
