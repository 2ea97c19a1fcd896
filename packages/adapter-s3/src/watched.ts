import type { MarkerWatch } from '@residency/contracts';

/** Carries out `work` after a valid check. A failure makes the next use check again. */
export async function watched<T>(
  watch: MarkerWatch | undefined,
  work: () => Promise<T>,
): Promise<T> {
  try {
    await watch?.fresh();
    return await work();
  } catch (error) {
    watch?.doubt();
    throw error;
  }
}
