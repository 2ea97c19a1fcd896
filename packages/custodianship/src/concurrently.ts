/**
 * Runs `work` for each item, at most `atOnce` at a time, and returns what they return, in the order of
 * the items. Rejects with the first failure; no further item is begun then.
 */
export async function concurrently<T, R>(
  items: readonly T[],
  atOnce: number,
  work: (item: T) => Promise<R>,
): Promise<readonly R[]> {
  const results: R[] = [];
  // A generator: a worker that fails ends it for all of them.
  const queue = (function* waiting() {
    yield* items.entries();
  })();
  const worker = async (): Promise<void> => {
    for (const [index, item] of queue) results[index] = await work(item);
  };
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, worker));
  return results;
}
