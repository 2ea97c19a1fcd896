/** What `open` gives, and an empty batch whenever nothing came for `everyMs`. Whoever stops asking ends what `open` gave by its signal. */
export async function* withIdle<T>(open: (signal: AbortSignal) => AsyncIterable<readonly T[]>, everyMs: number, signal: AbortSignal): AsyncGenerator<readonly T[]> {
  const stop = new AbortController();
  const batches = open(AbortSignal.any([signal, stop.signal]))[Symbol.asyncIterator]();
  let next = batches.next();
  try {
    for (;;) {
      const result = await within(everyMs, next);
      if (result === undefined) {
        yield [];
        continue;
      }
      if (result.done === true) return;
      yield result.value;
      next = batches.next();
    }
  } finally {
    stop.abort();
    await next.catch(() => undefined);
    await batches.return?.();
  }
}

/** `undefined`: not within the time; the promise goes on. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  const { promise: late, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => { resolve(undefined); }, ms);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
