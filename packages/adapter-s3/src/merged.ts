/**
 * The items of several sources, as they come, with at most `atOnce` sources open at a time. Throws the
 * first failure. Sources are ended if the caller stops before their end.
 */
export async function* merged<T>(
  sources: readonly AsyncIterable<T>[],
  atOnce: number,
): AsyncGenerator<T> {
  const waiting = [...sources];
  const open = new Map<AsyncIterator<T>, Promise<Answer<T>>>();
  const ask = (from: AsyncIterator<T>): void => {
    open.set(from, answered(from));
  };
  try {
    for (;;) {
      while (open.size < atOnce && waiting.length > 0) {
        const next = waiting.shift();
        if (next !== undefined) ask(next[Symbol.asyncIterator]());
      }
      if (open.size === 0) return;
      const { from, result } = await Promise.race(open.values());
      open.delete(from);
      if (result.done === true) continue;
      ask(from);
      yield result.value;
    }
  } finally {
    for (const [from, pending] of open) {
      pending.catch(() => undefined);
      void from.return?.().catch(() => undefined);
    }
  }
}

interface Answer<T> {
  readonly from: AsyncIterator<T>;
  readonly result: IteratorResult<T>;
}

async function answered<T>(from: AsyncIterator<T>): Promise<Answer<T>> {
  return { from, result: await from.next() };
}
