/** Works that need one another, until `told` is aborted: whichever fails aborts the signal of all, and all have ended when this rejects with the first failure. */
export async function allOrNone(
  told: AbortSignal,
  begin: (signal: AbortSignal) => readonly Promise<void>[],
): Promise<void> {
  const failed = new AbortController();
  const failures: unknown[] = [];
  await Promise.all(
    begin(AbortSignal.any([told, failed.signal])).map((work) =>
      work.catch((error: unknown) => {
        failures.push(error);
        failed.abort();
      }),
    ),
  );
  if (failures.length > 0) throw failures[0];
}
