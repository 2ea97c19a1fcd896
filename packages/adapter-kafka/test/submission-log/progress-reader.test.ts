import { expect, it } from 'vitest';
import type { IntakeReads } from '../../src/submission-log/intake-reads.ts';
import { ProgressReader } from '../../src/submission-log/progress-reader.ts';

/** A cluster on which another router goes on while this process is frozen in the reading `after`. */
function reads(after: 'bounds' | 'auditTail', then: (log: Log) => void): IntakeReads {
  const log: Log = { start: 0n, end: 0n, last: null };
  const frozen = <T>(reading: typeof after, found: T): Promise<T> => {
    if (reading === after && !log.went) {
      log.went = true;
      then(log);
    }
    return Promise.resolve(found);
  };
  const fake = {
    topicIds: () => Promise.resolve(undefined),
    committed: () => Promise.resolve(new Map()),
    bounds: () => frozen('bounds', new Map([[0, { start: log.start, end: log.end }]])),
    auditTail: () => frozen('auditTail', { last: log.last, trimmed: false, behind: 0n }),
    settledTopics: () => Promise.resolve(undefined),
  };
  return fake as unknown as IntakeReads;
}

interface Log {
  start: bigint;
  end: bigint;
  last: bigint | null;
  went?: boolean;
}

it('takes no record for lost that another router settled between two readings', async () => {
  const progress = new ProgressReader(
    reads('bounds', (log) => {
      Object.assign(log, { end: 1n, last: 0n });
    }),
  );
  expect(await progress.read(0)).toMatchObject({ settled: 0n, next: 1n });
});

it('takes no record for lost that another router settled and retention removed meanwhile', async () => {
  const progress = new ProgressReader(
    reads('auditTail', (log) => {
      Object.assign(log, { start: 5n, end: 6n });
    }),
  );
  expect(await progress.read(0)).toMatchObject({ settled: null, next: 0n });
});
