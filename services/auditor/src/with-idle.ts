/** What `open` gives, and an empty batch whenever nothing came for `everyMs`. Whoever stops asking ends what `open` gave by its signal. */
export async function* withIdle<T>(
  open: (signal: AbortSignal) => AsyncIterable<readonly T[]>,
  everyMs: number,
  signal: AbortSignal,
): AsyncGenerator<readonly T[]> {
  const stop = new AbortController();
  const batches = open(AbortSignal.any([signal, stop.signal]))[Symbol.asyncIterator]();
  let next = new Asked(batches.next());
  try {
    for (;;) {
      if (!(await next.settledWithin(everyMs))) {
        yield [];
        continue;
      }
      const result = await next.promise;
      if (result.done === true) return;
      yield result.value;
      next = new Asked(batches.next());
    }
  } finally {
    stop.abort();
    await next.promise.catch(() => undefined);
    await batches.return?.();
  }
}

/** A promise that is looked at again and again. To race with it each time would keep every race until it settles. */
class Asked<T> {
  readonly promise: Promise<T>;
  #settled = false;
  #wake = (): void => undefined;

  constructor(promise: Promise<T>) {
    this.promise = promise;
    const settle = (): void => {
      this.#settled = true;
      this.#wake();
    };
    promise.then(settle, settle);
  }

  async settledWithin(ms: number): Promise<boolean> {
    if (this.#settled) return true;
    const { promise, resolve } = Promise.withResolvers<undefined>();
    this.#wake = () => {
      resolve(undefined);
    };
    const timer = setTimeout(this.#wake, ms);
    await promise;
    clearTimeout(timer);
    return this.#settled;
  }
}
