import { codeOf } from '@residency/coded-error';
import { failed, unknown } from '@residency/observation';
import type { CheckResult } from '@residency/observation';

/** One check. An exception becomes a result too. */
export interface Check {
  readonly name: string;
  readonly run: () => Promise<readonly CheckResult[]>;
}

/**
 * Runs all checks concurrently and yields the results in the order of the checks. A failed check
 * does not affect the others.
 */
export async function* runChecks(checks: readonly Check[]): AsyncGenerator<CheckResult> {
  const running = checks.map(runCheck);
  for (const results of running) yield* await results;
}

async function runCheck({ name, run }: Check): Promise<readonly CheckResult[]> {
  try {
    return await run();
  } catch (error) {
    return [explain(name, error)];
  }
}

/**
 * The result for a check that failed. A foreign error's message may repeat its input, so only its
 * kind is shown.
 */
export function explain(check: string, error: unknown): CheckResult {
  const code = codeOf(error);
  if (code === undefined || !(error instanceof Error)) {
    return unknown(
      check,
      `a defect (${error instanceof Error ? error.name : typeof error})`,
      'Run it again with RESIDENCY_DEBUG=1 and report it.',
    );
  }
  return failed(check, { code, message: error.message });
}
