/**
 * Runs `work` once at a time. A call while a run is in progress waits for that run to end and gets
 * the result of the next one, which all such calls share: a result is never of a run that began
 * before the call. A failed run rejects its own callers only.
 */
export function shareNext<T>(work: () => Promise<T>): () => Promise<T> {
  let next: Promise<T> | undefined;
  let last: Promise<unknown> = Promise.resolve();
  const begin = (): Promise<T> => {
    const run = last.then(async () => {
      next = undefined;
      return await work();
    });
    last = run.catch(() => undefined);
    return run;
  };
  return () => (next ??= begin());
}
