import { assess } from '@residency/observation';
import type { CheckResult, Observed, Snapshot } from '@residency/observation';
import { DoctorError, needed } from './doctor-error.ts';
import { Part } from './part.ts';
import type { Check } from './run-checks.ts';

/** The shared assessment, which `status` and the alerts use too, with the same limits. */
export function assessmentOf(snapshot: Part<Snapshot>): Part<readonly CheckResult[]> {
  return new Part('the assessment', async () => assess(await snapshot.value()));
}

/** The results of one check of the assessment. */
export function assessed(assessment: Part<readonly CheckResult[]>, name: string): Check {
  return {
    name,
    run: async () => (await assessment.value()).filter(({ check }) => check === name),
  };
}

/**
 * A fact of the snapshot that other checks need. Its part throws `NEEDED` if the fact is unknown.
 */
export function factOf<T>(
  name: string,
  snapshot: Part<Snapshot>,
  of: (snapshot: Snapshot) => Observed<T> | undefined,
): Part<T> {
  return new Part(name, async () => {
    const fact = of(await snapshot.value());
    if (fact !== undefined && 'known' in fact) return fact.known;
    const { code, message } = fact?.unknown ?? {};
    throw code === 'NEEDED' && message !== undefined
      ? new DoctorError({ code, message, remedy: 'retry' })
      : needed(name);
  });
}
