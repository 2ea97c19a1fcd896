import type { LedgerStore } from '@residency/auditing';

/**
 * A store whose process dies: from the nth call on no call returns, and only the calls in flight
 * may still take effect.
 */
export class KillableStore implements LedgerStore {
  readonly killed: Promise<void>;
  readonly #inner: LedgerStore;
  readonly #inFlight = new Set<Promise<unknown>>();
  readonly #kill = Promise.withResolvers<void>();
  #left: number;
  readonly #persists: boolean;

  /** `persists`: the call in which it dies takes effect. */
  constructor(
    inner: LedgerStore,
    { calls, persists }: { readonly calls: number; readonly persists: boolean },
  ) {
    this.#inner = inner;
    this.#left = calls;
    this.#persists = persists;
    this.killed = this.#kill.promise;
  }

  read(path: string): Promise<Uint8Array | undefined> {
    return this.#run(() => this.#inner.read(path));
  }

  create(path: string, bytes: Uint8Array): Promise<'created' | 'same'> {
    return this.#run(() => this.#inner.create(path, bytes));
  }

  publish(path: string, bytes: Uint8Array, replaces: Uint8Array | undefined): Promise<void> {
    return this.#run(() => this.#inner.publish(path, bytes, replaces));
  }

  /** Resolves when the calls of the dead process have ended. */
  async quiet(): Promise<void> {
    await Promise.allSettled(this.#inFlight);
  }

  async #run<T>(work: () => Promise<T>): Promise<T> {
    this.#left -= 1;
    if (this.#left > 0 || (this.#left === 0 && this.#persists)) {
      const call = work();
      this.#inFlight.add(call);
      if (this.#left > 0) {
        const result = await call;
        this.#inFlight.delete(call);
        if (this.#left > 0) return result;
      } else {
        call.catch(() => undefined);
      }
    }
    if (this.#left <= 0) this.#kill.resolve();
    return await new Promise<T>(() => undefined);
  }
}
