import { MemoryLedgerStore, describeLedgerStore } from '../src/index.ts';

describeLedgerStore('the store in memory', async () => {
  const store = new MemoryLedgerStore();
  return { open: () => store, read: async (path) => store.files.get(path), close: async () => {} };
});
