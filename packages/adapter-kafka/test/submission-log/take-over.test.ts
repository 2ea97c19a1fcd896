import { TOPICS } from '@residency/contracts';
import type { LogRecord, Topic } from '@residency/contracts';
import { expect, it, vi } from 'vitest';
import { defined } from '@residency/defined';
import { takeOver } from '../../src/submission-log/take-over.ts';
import type { TakeOverDeps } from '../../src/submission-log/take-over.ts';
import type { TransactionalProducer } from '../../src/submission-log/transactional-producer.ts';
import { SILENT } from '../some-kafka.ts';

interface Cluster {
  /** Topics with a dangling transaction. */
  readonly open?: readonly Topic[];
  /** The intake offset of the last decided audit event; `null`: there is none. */
  readonly last?: bigint | null;
  readonly differing?: bigint;
  /** The offset of the record that this partition's open pointer is about. */
  readonly pointer?: bigint;
}

/** Partition 2, whose quarantine is in partition 0. */
function world({ open = [], last = 4n, ...more }: Cluster = {}) {
  const { differing, pointer } = more;
  const undecided = new Set(open);
  const steps: string[] = [];
  const producer = {
    commitOpenPointers: () => {
      steps.push('commit pointers');
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
      openPointer: () =>
        Promise.resolve(
          pointer === undefined ? undefined : { record: {} as LogRecord, about: pointer },
        ),
      auditTail: () => Promise.resolve({ last, trimmed: false, behind: 9n }),
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

it.each([[[TOPICS.audit]], [[TOPICS.audit, TOPICS.quarantine]]])(
  'aborts a dangling transaction in %s before it reads',
  async (open) => {
    const { deps, steps } = world({ open });
    await takeOver(2, deps);
    expect(steps).toEqual(['fence', `abort ${open.join(' ')}`, 'read 2']);
  },
);

it.each<[string, Cluster, readonly string[]]>([
  ['commits those of committed events', { pointer: 4n }, ['commit pointers']],
  ['commits those before the last event', { pointer: 3n }, ['commit pointers']],
  ['aborts those without an event', { pointer: 5n }, [`abort ${TOPICS.quarantine}`]],
  [
    'aborts those where there is no event',
    { pointer: 0n, last: null },
    [`abort ${TOPICS.quarantine}`],
  ],
  ["does not touch another partition's", {}, []],
])('of dangling pointers alone %s', async (_, cluster, expected) => {
  const { deps, steps } = world({ ...cluster, open: [TOPICS.quarantine] });
  await takeOver(2, deps);
  expect(steps).toEqual(['fence', ...expected, 'read 2']);
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
