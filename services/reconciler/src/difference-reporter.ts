import { defined } from '@residency/defined';
import type { Difference } from '@residency/reconciliation';
import type { Logger, ReconcilerMetrics } from '@residency/telemetry';
import { isViolation } from './known-differences.ts';
import type { KnownDifference } from './known-differences.ts';
import type { ReconcilerState } from './reconciler-state.ts';

export interface DifferenceReporterDeps {
  readonly state: ReconcilerState;
  readonly logger: Logger;
  readonly metrics: ReconcilerMetrics;
  /** Called once a violation was reported, so that a restart does not report it again. */
  readonly onChange: () => void;
}

/** Most log lines of each kind until a pass ends: a lost disk must not log a million lines. */
const MOST_LINES = 1_000;

/** Reports each difference once, when it is found. */
export class DifferenceReporter {
  readonly #deps: DifferenceReporterDeps;
  readonly #lines = { violations: 0, others: 0 };
  #unwritten = 0;

  constructor(deps: DifferenceReporterDeps) {
    this.#deps = deps;
  }

  found(difference: Difference, run: number, surveyed: boolean): void {
    const { state, metrics, onChange } = this.#deps;
    if (!state.found(difference, run, surveyed)) return;
    const violation = isViolation(difference.code);
    if (violation) {
      metrics.violated(difference.code);
      metrics.open(state.open);
    }
    this.#write(difference, violation);
    if (violation) onChange();
  }

  closed(gone: readonly KnownDifference[]): void {
    const { state, logger, metrics } = this.#deps;
    metrics.open(state.open);
    const groups = Map.groupBy(
      gone.filter(({ code }) => isViolation(code)),
      ({ code, site }) => `${code} ${site}`,
    );
    for (const some of groups.values()) {
      const [{ code, site } = { code: '', site: '' }] = some;
      logger.info('Misplaced objects are gone.', {
        code,
        ...(site === '' ? {} : { site }),
        records: some.length,
      });
    }
  }

  /** A pass ended. The limits on log lines start again. */
  passEnded(): void {
    if (this.#unwritten > 0)
      this.#deps.logger.warn('There were more differences than lines.', {
        records: this.#unwritten,
      });
    this.#unwritten = 0;
    this.#lines.violations = 0;
    this.#lines.others = 0;
  }

  #write({ code, site, position, submission }: Difference, violation: boolean): void {
    const kind = violation ? 'violations' : 'others';
    if (this.#lines[kind] >= MOST_LINES) {
      this.#unwritten += 1;
      return;
    }
    this.#lines[kind] += 1;
    const fields = {
      code,
      ...defined({ site, position, submission }),
    };
    if (violation) this.#deps.logger.error('An object is where it must not be.', fields);
    else this.#deps.logger.warn('Sites and audit log differ.', fields);
  }
}
