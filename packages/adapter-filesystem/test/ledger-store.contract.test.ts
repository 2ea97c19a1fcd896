import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describeLedgerStore } from '@residency/testkit';
import { FilesystemLedgerStore } from '../src/filesystem-ledger-store.ts';
import { initLedgerDirectory } from '../src/ledger-directory.ts';

describeLedgerStore('FilesystemLedgerStore', async () => {
  const parent = await mkdtemp(join(tmpdir(), 'residency-ledger-'));
  const directory = join(parent, 'data', 'ledger');
  await initLedgerDirectory(directory);
  return {
    open: () => new FilesystemLedgerStore(directory),
    read: (path) => readFile(join(directory, path)).catch(() => undefined),
    close: () => rm(parent, { recursive: true, force: true }),
  };
});
