/**
 * Works on up to `concurrency` items at a time and yields the results in the items' order. A failure
 * of the items or of the work comes after the results of all that was begun. Nothing is running any
 * more once it has ended, also if its consumer ends it early.
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
    for (let first = running.shift(); first !== undefined; first = running.shift())
      yield await first;
  } catch (error) {
    for (const settled of await Promise.allSettled(running))
      if (settled.status === 'fulfilled') yield settled.value;
    throw error;
  } finally {
    await Promise.allSettled(running);
  }
}
