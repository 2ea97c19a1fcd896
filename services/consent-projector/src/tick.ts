import { setTimeout as sleep } from 'node:timers/promises';
import { remedyOf } from '@residency/coded-error';

export interface TickTerms {
  /** Appends one tick to each log. */
  readonly tick: () => Promise<void>;
  readonly everyMs: number;
  readonly signal: AbortSignal;
  /** Told of each failure that is tried again. */
  readonly waits: (error: unknown) => void;
}

/** Keeps the watermarks of idle logs moving (DESIGN §3 "Time") until `signal` is aborted; several projectors may tick, it does no harm. */
export async function tickUntil({ tick, everyMs, signal, waits }: TickTerms): Promise<void> {
  while (!signal.aborted) {
    try {
      await tick();
    } catch (error) {
      if (signal.aborted) return;
      if (remedyOf(error) !== 'retry') throw error;
      waits(error);
    }
    await sleep(everyMs, undefined, { signal }).catch(() => undefined);
  }
}
