// Appends groups of five without end and says on standard output which ones were acknowledged.
import { TOPICS } from '@residency/contracts';
import { openSqliteLog } from '../../src/sqlite-log.ts';

const [, , file = '', name = 'child', groups = 'Infinity'] = process.argv;
const log = await openSqliteLog({ file, now: () => Date.now() });
for (let group = 0; group < Number(groups); group += 1) {
  const values = [0, 1, 2, 3, 4].map((part) => Buffer.from(`${name}/${group}/${part}`));
  await log.append(
    values.map((value) => ({ topic: TOPICS.samples, record: { key: null, headers: [], value } })),
  );
  process.stdout.write(`${group}\n`);
}
await log.close();
