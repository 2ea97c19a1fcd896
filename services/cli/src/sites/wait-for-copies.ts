import { remedyOf, codeOf } from '@residency/coded-error';
import { pause } from '@residency/waiting';
import { startProgress } from '../terminal/progress.ts';
import { checkInterrupted } from '../terminal/session.ts';
import type { Session } from '../terminal/session.ts';

/** What one look at the logs found. */
export interface Look<T> {
  readonly done: number;
  /** Absent: not known. */
  readonly total?: number;
  /** Present once there is nothing to wait for. */
  readonly ended?: T;
}

const LEAST_MS = 1_000;
const MOST_MS = 60_000;
/** A look reads whole logs, so most of the time is a pause. */
const PAUSE_BY_LOOK = 5;
const SAY_EVERY_MS = 10_000;

/**
 * Looks until a look has ended, with a progress bar on a terminal and otherwise a line on standard
 * error when the number changed, every ten seconds at most. A look that fails for a reason that
 * passes is repeated. Throws `INTERRUPTED`; what was ordered goes on all the same.
 */
export async function waitForCopies<T>(
  session: Session,
  label: string,
  look: () => Promise<Look<T>>,
): Promise<T> {
  const { output, signal } = session;
  const progress = startProgress(session, label);
  let said: { readonly done: number; readonly at: number } | undefined;
  try {
    for (;;) {
      const began = performance.now();
      const found = await look().catch((error: unknown) => {
        if (remedyOf(error) !== 'retry') throw error;
        output.note(
          `The logs cannot be read now (${codeOf(error) ?? 'unknown'}); they are read again.`,
        );
        return undefined;
      });
      if (found?.ended !== undefined) return found.ended;
      const now = performance.now();
      if (found !== undefined) {
        const { done, total } = found;
        progress.update(done, total);
        if (
          output.terminal === undefined &&
          done !== said?.done &&
          now - (said?.at ?? -Infinity) >= SAY_EVERY_MS
        ) {
          output.note(`${label}: ${done}${total === undefined ? '' : ` of ${total}`}.`);
          said = { done, at: now };
        }
      }
      await pause(Math.min(MOST_MS, Math.max(LEAST_MS, PAUSE_BY_LOOK * (now - began))), signal);
      checkInterrupted(session);
    }
  } finally {
    progress.stop();
  }
}
