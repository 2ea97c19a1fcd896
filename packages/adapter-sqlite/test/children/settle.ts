// Settles what waits, a few records at a time, until somebody kills it; says on standard output how
// many.
import { settlementsOf } from '@residency/testkit';
import { openSqliteLog } from '../../src/sqlite-log.ts';

const [, , file = ''] = process.argv;
const log = await openSqliteLog({ file, now: () => Date.now() });
await log.submissionLog({ maxBatchRecords: 7 }).consume(
  (batch) => {
    process.stdout.write(`${batch.records.length}\n`);
    return Promise.resolve({ settlements: settlementsOf(batch) });
  },
  { until: 'aborted', signal: new AbortController().signal },
);
