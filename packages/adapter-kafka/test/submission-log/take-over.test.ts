import { TOPICS } from '@residency/contracts';
import type { Topic } from '@residency/contracts';
import { expect, it, vi } from 'vitest';
import { defined } from '@residency/defined';
import { takeOver } from '../../src/submission-log/take-over.ts';
import type { TakeOverDeps } from '../../src/submission-log/take-over.ts';
import type { TransactionalProducer } from '../../src/submission-log/transactional-producer.ts';
import { SILENT } from '../some-kafka.ts';

interface Cluster {
  /** Topics with a dangling transaction. */
  readonly open?: readonly Topic[];
  readonly committed?: bigint;
  /** The intake offset of the last decided audit event; `null`: there is none. */
  readonly last?: bigint | null;
  readonly trimmed?: boolean;
  readonly differing?: bigint;
}

/** Partition 2, whose quarantine is in partition 0. */
function world({ open = [], committed, last = 4n, trimmed = false, differing }: Cluster = {}) {
  const undecided = new Set(open);
  const steps: string[] = [];
  const producer = {
    setBack: (next: bigint | null) => {
      steps.push(`set back to ${String(next)}`);
      return Promise.resolve();
    },
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
      committed: () => Promise.resolve(new Map(committed === undefined ? [] : [[2, committed]])),
      auditTail: () => Promise.resolve({ last, trimmed }),
    },
    progress: {
      read: (partition) => {
        steps.push(`read ${partition}`);
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
  const { deps, steps, warn } = world();
  expect((await takeOver(2, deps)).progress).toEqual({ settled: 4n, next: 5n });
  expect(steps).toEqual(['fence', 'read 2']);
  expect(warn).not.toHaveBeenCalled();
});

it.each([[[TOPICS.audit]], [[TOPICS.quarantine]], [[TOPICS.audit, TOPICS.quarantine]]])(
  'aborts a dangling transaction in %s before it reads',
  async (open) => {
    const { deps, steps } = world({ open });
    await takeOver(2, deps);
    expect(steps).toEqual(['fence', `abort ${open.join(' ')}`, 'read 2']);
  },
);

it.each<[string, Cluster, string]>([
  ['the end of the audit log', { committed: 9n, last: 4n }, '5'],
  ['no position where nothing was settled', { committed: 9n, last: null }, 'null'],
])(
  'sets a committed position back to %s before it aborts the transaction that explains it',
  async (_, cluster, next) => {
    const { deps, steps, warn } = world({ ...cluster, open: [TOPICS.audit] });
    await takeOver(2, deps);
    expect(steps).toEqual(['fence', `set back to ${next}`, `abort ${TOPICS.audit}`, 'read 2']);
    expect(warn).toHaveBeenCalledWith(expect.stringMatching(/committed position 9 /), {
      code: 'PROGRESS_DIFFERS',
      partition: 2,
    });
  },
);

it.each<[string, Cluster]>([
  ['follows the last audit event', { open: [TOPICS.audit], committed: 5n }],
  ['lags', { open: [TOPICS.audit], committed: 3n }],
  ['does not exist', { open: [TOPICS.audit] }],
  ['is all that is known', { open: [TOPICS.audit], committed: 9n, last: null, trimmed: true }],
  ['has no dangling audit events to explain it', { open: [TOPICS.quarantine], committed: 9n }],
  ['is ahead without a dangling transaction', { committed: 9n }],
])('does not touch a committed position that %s', async (_, cluster) => {
  const { deps, steps } = world(cluster);
  await takeOver(2, deps);
  expect(steps.filter((step) => step.startsWith('set back'))).toEqual([]);
});

it('reports a committed position that differs from the audit log', async () => {
  const { deps, warn } = world({ differing: 3n });
  await takeOver(2, deps);
  expect(warn).toHaveBeenCalledWith(expect.stringMatching(/committed position 3 .* offset 5/), {
    code: 'PROGRESS_DIFFERS',
    partition: 2,
  });
});

it('keeps no producer if it fails', async () => {
  const { deps, steps } = world();
  const error = new Error('no answer');
  await expect(
    takeOver(2, { ...deps, progress: { read: () => Promise.reject(error) } }),
  ).rejects.toBe(error);
  expect(steps).toEqual(['fence', 'close']);
});
