import { formatInstant } from '@residency/residency';
import { ok, wrong } from '../check-result.ts';
import type { CheckResult } from '../check-result.ts';
import type { ClockFacts } from '../snapshot.ts';

const CHECK = 'clock';

/** The log judges its clock itself, before each append (docs/decisions/0023). */
export function judgeClock({ state, lastAt, error }: ClockFacts): readonly CheckResult[] {
  const last = lastAt === 0 ? 'nothing appended yet' : `last append ${formatInstant(lastAt)}`;
  if (error === undefined) return [ok(CHECK, last)];
  return [wrong(CHECK, `${state} of the log (${last}): ${error.code}`, error.message)];
}
