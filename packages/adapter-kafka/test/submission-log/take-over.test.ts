import { TOPICS } from '@residency/contracts';
import type { Topic } from '@residency/contracts';
import { expect, it, vi } from 'vitest';
import { defined } from '@residency/defined';
import { takeOver } from '../../src/submission-log/take-over.ts';
import type { TakeOverDeps } from '../../src/submission-log/take-over.ts';
import type { TransactionalProducer } from '../../src/submission-log/transactional-producer.ts';
import { SILENT } from '../some-kafka.ts';

/**
 * Partition 2, whose quarantine stands in partition 0; `open` names topics where something is
 * undecided.
 */
function world(open: readonly Topic[], differing?: bigint) {
  const undecided = new Set(open);
  const steps: string[] = [];
  const producer = {
    abortWhatIsOpen: (topics: readonly Topic[]) => {
      steps.push(`abort ${topics.join(' ')}`);
      for (const topic of topics) undecided.delete(topic);
      return Promise.resolve();
    },
    close: () => {
      steps.push('close');
      return Promise.resolve();
    },
  } as unknown as TransactionalProducer;
  const warn = vi.fn<(message: string, fields?: { code?: string }) => void>();
  const deps: TakeOverDeps = {
    open: () => {
      steps.push('fence');
      return Promise.resolve(producer);
    },
    target: (topic) => (topic === TOPICS.quarantine ? 0 : 2),
    reads: {
      extent: (topic, partition) =>
        Promise.resolve({
          end: 9n + BigInt(partition),
          decided: undecided.has(topic) ? 5n : 9n + BigInt(partition),
        }),
    },
    progress: {
      read: (partition, swept) => {
        steps.push(`read ${partition} ${swept}`);
        return Promise.resolve({
          settled: 4n,
          next: 5n,
          ...defined({ differing }),
        });
      },
    },
    diagnostics: { ...SILENT, warn },
  };
  return { deps, steps, warn };
}

it('fences, then reads, and does not touch decided transactions', async () => {
  const { deps, steps, warn } = world([]);
  expect((await takeOver(2, deps)).progress).toEqual({ settled: 4n, next: 5n });
  expect(steps).toEqual(['fence', 'read 2 false']);
  expect(warn).not.toHaveBeenCalled();
});

it.each([[[TOPICS.audit]], [[TOPICS.quarantine]], [[TOPICS.audit, TOPICS.quarantine]]])(
  'aborts a dangling transaction in %s before it reads',
  async (open) => {
    const { deps, steps } = world(open);
    await takeOver(2, deps);
    expect(steps).toEqual(['fence', `abort ${open.join(' ')}`, 'read 2 true']);
  },
);

it('reports a committed position that differs from the audit log', async () => {
  const { deps, warn } = world([], 3n);
  await takeOver(2, deps);
  expect(warn).toHaveBeenCalledWith(expect.stringMatching(/committed position 3 .* offset 5/), {
    code: 'PROGRESS_DIFFERS',
    partition: 2,
  });
});

it('keeps no producer if it fails', async () => {
  const { deps, steps } = world([]);
  const error = new Error('no answer');
  await expect(
    takeOver(2, { ...deps, progress: { read: () => Promise.reject(error) } }),
  ).rejects.toBe(error);
  expect(steps).toEqual(['fence', 'close']);
});
