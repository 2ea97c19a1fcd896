import type { AuditRecord } from '@residency/auditing';
import { MemoryLedgerSource, describeLedgerSource } from '../src/index.ts';

describeLedgerSource('the log in memory', async () => {
  const records: AuditRecord[] = [];
  const opened: MemoryLedgerSource[] = [];
  return {
    open: () => {
      const source = new MemoryLedgerSource(records);
      opened.push(source);
      return source;
    },
    append: async (values) => {
      for (const value of values) {
        const record = { partition: 0, offset: BigInt(records.length), value };
        records.push(record);
        for (const source of opened) source.records.push(record);
      }
    },
    close: async () => {},
  };
});
