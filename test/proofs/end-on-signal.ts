/** For proofs that run for long: told to end, the process ends at once, and what it started with it. */
export function endOnSignal(): void {
  for (const signal of ['SIGTERM', 'SIGINT'] as const)
    process.once(signal, () => {
      process.exit(1);
    });
}
