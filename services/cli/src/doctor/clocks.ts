import { ok, wrong } from './finding.ts';
import type { Finding } from './finding.ts';
import { secondsText } from './seconds-text.ts';

/** How far a clock is ahead of the local one, milliseconds: what was read says no more than these bounds. */
export interface ClockReading {
  readonly clock: string;
  readonly least: number;
  readonly most: number;
}

/** A clock that said `at` .. `at + grain` somewhere between `asked` and `answered`, which are local. */
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

/** By how much two clocks differ at the least. */
function apart(a: ClockReading, b: ClockReading): number {
  return Math.max(a.least - b.most, b.least - a.most, 0);
}

const CHECK = 'clocks';

/** Every two of them; wrong only where what was read leaves no doubt. */
export function compareClocks(
  readings: readonly ClockReading[],
  marginMs: number,
): readonly Finding[] {
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
      'Set both by NTP; see docs/design.md "Watermarks" for what a wrong clock does.',
    );
  });
}
