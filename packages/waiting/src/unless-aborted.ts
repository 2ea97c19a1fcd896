/**
 * Resolves with the value of `promise`, or with `undefined` as soon as `signal` is aborted. Rejects
 * if `promise` does before that; what it does later is ignored. Leaves no listener on `signal`, so
 * one signal may outlive any number of calls. (`Promise.race` with a single promise of the abort
 * would keep the value of every race until the abort.)
 */
export async function unlessAborted<T>(
  promise: Promise<T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  const { promise: aborted, resolve } = Promise.withResolvers<undefined>();
  const onAbort = (): void => {
    resolve(undefined);
  };
  if (signal.aborted) onAbort();
  signal.addEventListener('abort', onAbort, { once: true });
  try {
    return await Promise.race([aborted, promise]);
  } finally {
    signal.removeEventListener('abort', onAbort);
  }
}
