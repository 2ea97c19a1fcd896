import { TOPICS } from '@residency/contracts';
import { CodedError } from '@residency/coded-error';
import type { BatchResult } from '@residency/routing';
import { eventually, settlementsOf } from '@residency/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { text } from '../some-kafka.ts';
import { NO_FAULTS, faultsOf } from './one-outcome-each.ts';
import { SHORT, someIntake } from './some-intake.ts';
import type { SomeIntake } from './some-intake.ts';

let some: SomeIntake;
beforeEach(async () => {
  some = await someIntake({ partitions: 2 });
});
afterEach(async () => {
  await some.close();
});

async function publish(count: number): Promise<ReadonlyMap<number, number>> {
  const positions = await some.publish(
    Array.from({ length: count }, (_, index) => text(`sample ${index}`, `${index}`)),
  );
  return new Map(
    [0, 1].map((partition) => [
      partition,
      positions.filter((position) => position.partition === partition).length,
    ]),
  );
}

it('a partition whose batch takes longer than the session holds up neither its neighbour nor the membership', async () => {
  const counts = await publish(200);
  const slow = Promise.withResolvers<void>();
  const assigned: (readonly number[])[] = [];
  const stop = new AbortController();
  const done = new Map([
    [0, 0],
    [1, 0],
  ]);
  const consuming = (await some.openLog())
    .submissionLog({
      ...SHORT,
      sessionTimeoutMs: 1_500,
      transactionTimeoutMs: 1_000,
      maxBatchRecords: 10,
      onRebalanced: (partitions) => {
        assigned.push(partitions);
      },
    })
    .consume(
      async (batch) => {
        if (batch.partition === 0 && batch.previous === null) await slow.promise;
        return { settlements: settlementsOf(batch) };
      },
      {
        until: 'aborted',
        signal: stop.signal,
        settled: ({ settlements }) => {
          for (const { event } of settlements)
            done.set(event.position.partition, (done.get(event.position.partition) ?? 0) + 1);
        },
      },
    );
  const began = performance.now();
  await eventually(() =>
    Promise.resolve(
      (done.get(1) === counts.get(1) && performance.now() - began > 4_000) || undefined,
    ),
  );
  expect(done.get(0)).toBe(0);
  slow.resolve();
  await eventually(() => Promise.resolve(done.get(0) === counts.get(0) || undefined));
  stop.abort();
  await consuming;
  expect(assigned).toHaveLength(1);
  expect(await faultsOf(some.log)).toEqual({ outcomes: 200, faults: NO_FAULTS });
});

it('a blocked partition waits, and its neighbour goes on', async () => {
  const counts = await publish(100);
  const stop = new AbortController();
  const done = new Map([
    [0, 0],
    [1, 0],
  ]);
  const error = new CodedError({
    code: 'SITE_DOWN',
    message: 'Expected a site that answers.',
    remedy: 'retry',
  });
  let open = false;
  const consuming = (await some.openLog()).submissionLog({ ...SHORT, maxBatchRecords: 10 }).consume(
    (batch): Promise<BatchResult> => {
      const blocked = batch.partition === 0 && !open;
      return Promise.resolve(
        blocked
          ? {
              settlements: settlementsOf(batch, 1),
              blocked: { offset: batch.records[1]?.offset ?? -1n, error },
            }
          : { settlements: settlementsOf(batch) },
      );
    },
    {
      until: 'aborted',
      signal: stop.signal,
      settled: ({ settlements }) => {
        for (const { event } of settlements)
          done.set(event.position.partition, (done.get(event.position.partition) ?? 0) + 1);
        if (done.get(1) === counts.get(1)) open = true;
      },
    },
  );
  await eventually(() => Promise.resolve(done.get(0) === counts.get(0) || undefined));
  stop.abort();
  await consuming;
  expect(await faultsOf(some.log)).toEqual({ outcomes: 100, faults: NO_FAULTS });
});

it('until the end, waits for views that are behind and returns any other block', async () => {
  await some.log.append(
    Array.from({ length: 5 }, () => ({
      topic: TOPICS.samples,
      record: text('sample', 'same key'),
    })),
  );
  const behind = new CodedError({
    code: 'VIEW_BEHIND',
    message: 'Expected views beyond the record.',
    remedy: 'retry',
  });
  const down = new CodedError({
    code: 'SITE_DOWN',
    message: 'Expected a site that answers.',
    remedy: 'retry',
  });
  let calls = 0;
  const result = await (await some.openLog()).submissionLog(SHORT).consume(
    (batch): Promise<BatchResult> => {
      calls += 1;
      return Promise.resolve({
        settlements: settlementsOf(batch, 1),
        blocked: { offset: batch.records[1]?.offset ?? -1n, error: calls < 3 ? behind : down },
      });
    },
    { until: 'end', signal: new AbortController().signal },
  );
  expect(result?.error.code).toBe('SITE_DOWN');
  expect(calls).toBe(3);
  expect((await faultsOf(some.log)).outcomes).toBe(3);
});
