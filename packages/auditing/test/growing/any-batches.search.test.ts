import { MemoryLedgerStore, someAuditRecords } from '@residency/testkit';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { grow, published } from './some-ledger.ts';

const RECORDS = someAuditRecords(1_500);

test('a ledger grown in any batches, with any stops in between, has the same root', async () => {
  const whole = new MemoryLedgerStore();
  await grow(whole, RECORDS);
  const root = (await published(whole))?.root;
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 1_500 }), { maxLength: 6 }),
      fc.integer({ min: 1, max: 700 }),
      fc.constantFrom(1_000, 10_000),
      async (stops, most, intervalMs) => {
        const store = new MemoryLedgerStore();
        let turn = 0;
        for (const stop of [...stops.toSorted((one, other) => one - other), 1_500]) {
          await grow(store, RECORDS.slice(0, stop), {
            batch: () => 1 + (((turn += 1) * 7_919) % most),
            intervalMs,
            now: () => turn * 300,
          });
        }
        const checkpoint = await published(store);
        expect(checkpoint).toMatchObject({ size: 1_500, root });
        // Partial files are those of its own checkpoints.
        const full = [...whole.files].filter(
          ([path]) => path.includes('/tile/') && !path.includes('.p/'),
        );
        expect(full.length).toBeGreaterThan(9);
        for (const [path, bytes] of full) expect(store.files.get(path)?.equals(bytes)).toBe(true);
      },
    ),
    { numRuns: 20, seed: 7 },
  );
});
