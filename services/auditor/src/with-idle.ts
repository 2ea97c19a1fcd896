import { Condition } from '@residency/waiting';

/**
 * Yields the batches of `open`, and an empty batch after each `everyMs` without one. A caller that
 * stops early ends `open` by its signal.
 */
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

/**
 * The result of a promise that is awaited repeatedly. A new race each time would keep every race in
 * memory until the promise settles.
 */
class Asked<T> {
  readonly promise: Promise<T>;
  #settled = false;
  readonly #condition = new Condition();

  constructor(promise: Promise<T>) {
    this.promise = promise;
    const finish = (): void => {
      this.#settled = true;
      this.#condition.notify();
    };
    promise.then(finish, finish);
  }

  async settledWithin(ms: number): Promise<boolean> {
    if (this.#settled) return true;
    await this.#condition.wait({ ms });
    return this.#settled;
  }
}
