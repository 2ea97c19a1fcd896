import { ok, secondsText, wrong } from '@residency/observation';
import type { CheckResult } from '@residency/observation';

/** Bounds of how far a clock is ahead of the local one, milliseconds. */
export interface ClockReading {
  readonly clock: string;
  readonly least: number;
  readonly most: number;
}

/**
 * The reading of a clock that showed `at` to `at + grain` at some time between `asked` and
 * `answered` of the local clock.
 */
export function readingOf(
  clock: string,
  {
    at,
    grain,
    asked,
    answered,
  }: {
    readonly at: number;
    readonly grain: number;
    readonly asked: number;
    readonly answered: number;
  },
): ClockReading {
  return { clock, least: at - answered, most: at + grain - asked };
}

export function localClock(clock: string): ClockReading {
  return { clock, least: 0, most: 0 };
}

/** The least difference between two clocks. */
function apart(a: ClockReading, b: ClockReading): number {
  return Math.max(a.least - b.most, b.least - a.most, 0);
}

const CHECK = 'clocks';

/** Compares every two readings. Reports a difference only if the bounds prove it. */
export function compareClocks(
  readings: readonly ClockReading[],
  marginMs: number,
): readonly CheckResult[] {
  const pairs = readings.flatMap((one, index) =>
    readings.slice(index + 1).map((other) => ({ one, other, by: apart(one, other) })),
  );
  const far = pairs.filter(({ by }) => by > marginMs);
  if (far.length === 0)
    return [
      ok(
        CHECK,
        `${readings.map(({ clock }) => clock).join(', ')}: none differs from another by more than ${secondsText(marginMs)}`,
      ),
    ];
  return far.map(({ one, other, by }) => {
    const [ahead, behind] = one.least > other.most ? [one, other] : [other, one];
    return wrong(
      CHECK,
      `${ahead.clock} is at least ${secondsText(by)} ahead of ${behind.clock}; they may differ by ${secondsText(marginMs)}`,
      'Set both by NTP; see docs/design.md "Time" for what a wrong clock does.',
    );
  });
}
