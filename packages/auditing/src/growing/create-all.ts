import type { LedgerFile } from '@residency/ledger';
import type { LedgerStore } from '../ports/ledger-store.ts';

/** The number of concurrent creations. */
const CONCURRENCY = 16;

/**
 * Creates every file, in any order: no checkpoint refers to them yet. Rejects with the first
 * failure once no creation is in progress any more.
 */
export async function createAll(
  store: LedgerStore,
  files: readonly LedgerFile[],
  place: (path: string) => string,
): Promise<void> {
  const queue = files.values();
  const results = await Promise.allSettled(
    Array.from({ length: Math.min(CONCURRENCY, files.length) }, async () => {
      for (const { path, bytes } of queue) await store.create(place(path), bytes);
    }),
  );
  const failure = results.find((result) => result.status === 'rejected');
  if (failure !== undefined) throw failure.reason;
}
