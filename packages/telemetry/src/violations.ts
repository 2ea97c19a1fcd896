import { BoundedLabel } from './bounded-label.ts';
import type { Instruments } from './instruments.ts';

/** Differences that mean that bytes are in the wrong place, or should be gone. */
export const VIOLATION_CODES = [
  'WRONG_REGION',
  'OBJECT_WITHOUT_EVENT',
  'FOREIGN_OBJECT',
  'FOREIGN_SITE',
  'CONTEXT_DIFFERS',
  'ERASED_BUT_PRESENT',
] as const;

export type ViolationFinder = 'auditor' | 'reconciler';

/** A counter that is absent until its first finding hides that finding from `increase()`. */
export function violationCounter(
  make: Instruments,
  finder: ViolationFinder,
  codes: readonly string[],
): (code: string) => void {
  const violations = make.counter('residency_violations_total');
  const known = new BoundedLabel(codes);
  for (const code of codes) violations.inc({ found_by: finder, code }, 0);
  return (code) => {
    violations.inc({ found_by: finder, code: known.value(code) });
  };
}
