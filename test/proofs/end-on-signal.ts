/**
 * For proofs that run for long: on a signal the process ends at once, together with the processes
 * that it started.
 */
export function endOnSignal(): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => {
      process.exit(1);
    });
}
