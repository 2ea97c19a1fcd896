/**
 * Runs works that need one another, until `signal` is aborted. The first failure aborts the signal
 * that all of them got; once all have ended, the call rejects with it. Resolves if none failed.
 */
export async function allOrNone(
  signal: AbortSignal,
  begin: (signal: AbortSignal) => readonly Promise<void>[],
): Promise<void> {
  const failed = new AbortController();
  const failures: unknown[] = [];
  await Promise.all(
    begin(AbortSignal.any([signal, failed.signal])).map((work) =>
      work.catch((error: unknown) => {
        failures.push(error);
        failed.abort();
      }),
    ),
  );
  if (failures.length > 0) throw failures[0];
}
