import { expect, it } from 'vitest';
import type { IntakeReads } from '../../src/submission-log/intake-reads.ts';
import { StallWatch } from '../../src/submission-log/stall-watch.ts';
import type { WatchedWorker } from '../../src/submission-log/stall-watch.ts';

const STALL_MS = 80;

const since = (from: bigint): (() => WatchedWorker['waiting']) => {
  const began = performance.now();
  return () => ({ since: began, from });
};

async function watch({
  alive = true,
  rejoiningSince,
  waiting,
  decided = 0n,
}: {
  alive?: boolean;
  rejoiningSince?: () => number | undefined;
  waiting?: () => WatchedWorker['waiting'];
  decided?: bigint;
}): Promise<unknown> {
  const reads = { extent: () => Promise.resolve({ end: 100n, decided }) } as unknown as IntakeReads;
  const began = performance.now();
  const member = {
    get aliveAt() {
      return alive ? performance.now() : began;
    },
    get rejoiningSince() {
      return rejoiningSince?.();
    },
  };
  return await new StallWatch(reads, STALL_MS).watch(
    member,
    () => [
      {
        partition: 1,
        get waiting() {
          return waiting?.();
        },
      },
    ],
    AbortSignal.timeout(6 * STALL_MS),
  );
}

it('sees a consumer that gives no sign of life', async () => {
  expect(await watch({ alive: false })).toMatchObject({
    code: 'CONSUMER_STALLED',
    remedy: 'retry',
  });
});

it('sees a partition that waits though records wait for it', async () => {
  expect(await watch({ waiting: since(5n), decided: 6n })).toMatchObject({
    code: 'CONSUMER_STALLED',
  });
});

it('sees a consumer that fetches and did not join again after a rebalance', async () => {
  const began = performance.now();
  expect(await watch({ rejoiningSince: () => began })).toMatchObject({ code: 'CONSUMER_STALLED' });
  expect(await watch({ rejoiningSince: () => performance.now() })).toBeUndefined();
});

it.each<[string, Parameters<typeof watch>[0]]>([
  ['has nothing to hand over', { waiting: since(6n), decided: 6n }],
  ['waits for a transaction that is still open', { waiting: since(6n), decided: 5n }],
  ['is at work', { decided: 6n }],
  [
    'has only just begun to wait',
    { waiting: () => ({ since: performance.now(), from: 5n }), decided: 6n },
  ],
])('lets a partition be that %s', async (_, given) => {
  expect(await watch(given)).toBeUndefined();
});
