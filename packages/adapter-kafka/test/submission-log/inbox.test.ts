import { afterEach, expect, test, vi } from 'vitest';
import type { Batch } from 'kafkajs';
import { Inbox } from '../../src/submission-log/inbox.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

/** What a fetch brought, as far as the inbox looks at it. */
function fetched(offsets: readonly number[]): Batch {
  const messages = offsets.map((offset) => ({
    offset: String(offset),
    timestamp: '0',
    key: null,
    value: Buffer.from('x'),
    headers: {},
  }));
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion
  return {
    messages,
    firstOffset: () => messages[0]?.offset,
    lastOffset: () => messages.at(-1)?.offset,
  } as unknown as Batch;
}

test('a fetch that waits for room ends at once, without spinning, when nothing is to be taken any more', async () => {
  const over = new AbortController();
  const flow = { resumeAt: () => undefined, pause: () => undefined, resume: () => undefined };
  const inbox = new Inbox({
    partition: 0,
    limits: { maxBatchRecords: 1, maxBatchBytes: 1_000 },
    flow,
    over: over.signal,
  });
  inbox.open(0n);
  inbox.accept(fetched([0, 1]));
  const waited = inbox.room();
  let looks = 0;
  vi.spyOn(performance, 'now').mockImplementation(() => {
    looks += 1;
    // A clock that stands still would keep a spinning loop for ever.
    if (looks > 100) throw new Error('Expected no more looks at the clock.');
    return 0;
  });
  over.abort();
  await waited;
  expect(looks).toBeLessThan(3);
});
