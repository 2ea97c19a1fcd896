import type { Output } from './output.ts';
import { interrupted } from './cli-error.ts';

/** The process around a command. */
export interface Session {
  readonly output: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Aborted by Ctrl-C, SIGTERM, and a reader of the output that went away. */
  readonly signal: AbortSignal;
  readonly now: () => number;
  /**
   * Ends the process this long from now even if a client still waits for an answer. Only for a
   * command that changes nothing, as its last step.
   */
  abandonIn(ms: number): void;
}

/** Ends the command where somebody asked for it; for the places between two steps. */
export function checkInterrupted({ signal }: Pick<Session, 'signal'>): void {
  if (signal.aborted) throw interrupted();
}

/**
 * The session's signal for what ends with a signal's own reason: that of an interrupted command.
 */
export function interruptionOf({ signal }: Pick<Session, 'signal'>): AbortSignal {
  const interruption = new AbortController();
  const interrupt = (): void => {
    interruption.abort(interrupted());
  };
  if (signal.aborted) interrupt();
  else signal.addEventListener('abort', interrupt, { once: true });
  return interruption.signal;
}
