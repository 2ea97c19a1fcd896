/**
 * Works on up to `concurrency` items at a time and yields what came of them in their order. Where the items end with an
 * error, that comes after the results of those before it.
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
      // Awaited below; until then a failure is nobody's yet.
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
