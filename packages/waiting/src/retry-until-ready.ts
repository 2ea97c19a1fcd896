import { remedyOf } from '@residency/coded-error';
import { pause } from './pause.ts';

export interface RetryOptions {
  readonly signal: AbortSignal;
  /** Called with each error before the step is tried again. */
  readonly waits: (error: unknown) => void;
  /** Wait before the second try, milliseconds; doubled for each further one. */
  readonly firstMs?: number;
  /** Longest wait between two tries, milliseconds. */
  readonly mostMs?: number;
}

/**
 * Tries a step of a start until it succeeds, because a cluster and its services come up in any
 * order. Rejects at once with an error whose remedy is not `retry`, and with the last error if
 * `signal` is aborted.
 */
export async function retryUntilReady<T>(
  step: () => Promise<T>,
  { signal, waits, firstMs = 250, mostMs = 5_000 }: RetryOptions,
): Promise<T> {
  for (let waitMs = firstMs; ; waitMs = Math.min(mostMs, waitMs * 2)) {
    try {
      return await step();
    } catch (error) {
      if (signal.aborted || remedyOf(error) !== 'retry') throw error;
      waits(error);
      await pause(waitMs, signal);
      if (signal.aborted) throw error;
    }
  }
}
