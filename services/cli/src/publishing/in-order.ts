/**
 * Works on up to `concurrency` items at a time and yields the results in the items' order. If the
 * items end with an error, it follows the results of those before it.
 */
export async function* inOrder<T, R>(
  items: AsyncIterable<T>,
  concurrency: number,
  work: (item: T) => Promise<R>,
): AsyncGenerator<R> {
  const running: Promise<R>[] = [];
  try {
    for await (const item of items) {
      const result = work(item);
      // It is awaited below. Until then, a rejection must not count as unhandled.
      result.catch(() => undefined);
      running.push(result);
      const first = running.length < concurrency ? undefined : running.shift();
      if (first !== undefined) yield await first;
    }
  } catch (error) {
    yield* settledOf(running);
    throw error;
  }
  for (const result of running) yield await result;
}

async function* settledOf<R>(running: readonly Promise<R>[]): AsyncGenerator<R> {
  for (const settled of await Promise.allSettled(running))
    if (settled.status === 'fulfilled') yield settled.value;
}
