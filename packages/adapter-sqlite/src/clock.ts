import { SqliteLogError } from './sqlite-log-error.ts';

/** The system's clock, with the bound that this process measured. */
export interface ClockReading {
  readonly now: number;
  /**
   * The latest time that a right clock can show, by the time that this process measured; `null`: it
   * has measured nothing yet; absent: the clock is not judged.
   */
  readonly expected?: number | null;
}

export type ClockState = 'right' | 'ahead' | 'behind';

/** How far the clock may differ from what is expected (docs/decisions/0023), milliseconds. */
export const CLOCK_STEP_MS = 60 * 60 * 1_000;
/** The longest time without appends for which the clock is believed at a start, milliseconds. */
export const CLOCK_REST_MS = 31 * 24 * 60 * 60 * 1_000;

/** `lastAt`: the log's last append time; 0: there is none. */
export function judgeClock({ now, expected }: ClockReading, lastAt: number): ClockState {
  if (expected === undefined || lastAt === 0) return 'right';
  if (now < lastAt - CLOCK_STEP_MS) return 'behind';
  return now >
    (expected === null ? lastAt + CLOCK_REST_MS : Math.max(expected, lastAt) + CLOCK_STEP_MS)
    ? 'ahead'
    : 'right';
}

export function clockAhead({ now }: ClockReading, lastAt: number): SqliteLogError {
  const message = `Expected this machine's clock near the log's last append (${iso(lastAt)}), found it at ${iso(now)}: stamped once, the log would keep that time for ever. Set the clock right, and what waits goes on; if it is right, say so with: residency clock accept`;
  return new SqliteLogError({ code: 'CLOCK_AHEAD', message, remedy: 'retry' });
}

export function clockBehind({ now }: ClockReading, lastAt: number): SqliteLogError {
  const message = `Expected this machine's clock not to be before the log's last append (${iso(lastAt)}), found it at ${iso(now)}. Set the clock right, or wait until it is past that time; docs/how-to/operate.md says what there is besides.`;
  return new SqliteLogError({ code: 'CLOCK_BEHIND', message, remedy: 'retry' });
}

/** Measures time independently of the system's clock, to detect its steps. */
export class WallClock {
  readonly #now: () => number;
  readonly #elapsed: (() => number) | undefined;
  #trusted: { readonly now: number; readonly elapsed: number } | undefined;

  /**
   * `elapsed`: milliseconds of a clock that is never set and that runs while the machine sleeps.
   * Absent: no check.
   */
  constructor(now: () => number, elapsed: (() => number) | undefined) {
    this.#now = now;
    this.#elapsed = elapsed;
  }

  read(): ClockReading {
    const now = this.#now();
    if (this.#elapsed === undefined) return { now };
    return {
      now,
      expected:
        this.#trusted === undefined
          ? null
          : this.#trusted.now + this.#elapsed() - this.#trusted.elapsed,
    };
  }

  /** Call after an append, or after the log found the reading right. */
  trust({ now }: ClockReading): void {
    if (this.#elapsed !== undefined) this.#trusted = { now, elapsed: this.#elapsed() };
  }
}

function iso(at: number): string {
  return Math.abs(at) > 8.64e15 ? 'no time' : new Date(at).toISOString();
}
