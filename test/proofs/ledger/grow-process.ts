import { FilesystemLedgerStore, openLedgerDirectory } from '@residency/adapter-filesystem';
import { someAuditRecords } from '@residency/testkit';
import { SeededRandom } from '../seeded-random.ts';
import { growDirectory } from './grow-directory.ts';

// A writer in a process of its own, until it has everything or is killed: `grow-process.ts
// <directory> <records> <seed>`.
const [, , directory = '', count = '0', seed = '0'] = process.argv;
const random = new SeededRandom(Number(seed));
await openLedgerDirectory(directory);
await growDirectory(new FilesystemLedgerStore(directory), someAuditRecords(Number(count)), {
  batch: () => 1 + random.below(60),
  intervalMs: 0,
});
