export interface Deadline {
  /** From the call on, milliseconds. */
  readonly ms: number;
  /** Ends the wait before that. */
  readonly signal?: AbortSignal;
  /** Why the wait ended without a value. */
  readonly late: () => Error;
}

/**
 * Resolves or rejects as `work` does. Rejects with `late()` after `ms` milliseconds or as soon as
 * `signal` is aborted; what `work` does later is ignored. The signal that `work` gets is aborted
 * once the wait is over, however it ended. `work` is not called if `signal` is aborted before.
 */
export async function within<T>(
  { ms, signal, late }: Deadline,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  if (signal?.aborted === true) throw late();
  const over = new AbortController();
  const { promise: silence, reject } = Promise.withResolvers<never>();
  const giveUp = (): void => {
    reject(late());
  };
  const timer = setTimeout(giveUp, ms);
  signal?.addEventListener('abort', giveUp, { once: true });
  try {
    return await Promise.race([silence, work(over.signal)]);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', giveUp);
    over.abort();
  }
}
