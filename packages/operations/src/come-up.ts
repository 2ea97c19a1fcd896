import { setTimeout as sleep } from 'node:timers/promises';
import { remedyOf } from '@residency/coded-error';

export interface ComeUpTerms {
  readonly signal: AbortSignal;
  /** Told of each failure that is tried again. */
  readonly waits: (error: unknown) => void;
  /** Between two tries, milliseconds. */
  readonly firstMs?: number;
  readonly mostMs?: number;
}

/** Tries a step of a start until it succeeds: a cluster and its services come up in any order. Rejects with what does not pass by itself, and where `signal` is aborted. */
export async function comeUp<T>(
  step: () => Promise<T>,
  { signal, waits, firstMs = 250, mostMs = 5_000 }: ComeUpTerms,
): Promise<T> {
  for (let waitMs = firstMs; ; waitMs = Math.min(mostMs, waitMs * 2)) {
    try {
      return await step();
    } catch (error) {
      if (signal.aborted || remedyOf(error) !== 'retry') throw error;
      waits(error);
      await sleep(waitMs, undefined, { signal }).catch(() => {
        throw error;
      });
    }
  }
}
