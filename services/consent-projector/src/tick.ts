import { remedyOf } from '@residency/coded-error';
import { pause } from '@residency/waiting';

export interface TickOptions {
  /** Appends one tick to each log. */
  readonly tick: () => Promise<void>;
  readonly everyMs: number;
  readonly signal: AbortSignal;
  /** Called for each failure before a retry. */
  readonly waits: (error: unknown) => void;
}

/**
 * Keeps the watermarks of idle logs moving (DESIGN §3 "Time") until `signal` is aborted. Several
 * projectors may tick without harm.
 */
export async function tickUntil({ tick, everyMs, signal, waits }: TickOptions): Promise<void> {
  while (!signal.aborted) {
    try {
      await tick();
    } catch (error) {
      if (signal.aborted) return;
      if (remedyOf(error) !== 'retry') throw error;
      waits(error);
    }
    await pause(everyMs, signal);
  }
}
