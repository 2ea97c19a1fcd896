import type { Difference } from '@residency/reconciliation';
import type { Logger, ReconcilerMetrics } from '@residency/telemetry';
import { isViolation } from './findings.ts';
import type { Finding } from './findings.ts';
import type { ReconcilerState } from './reconciler-state.ts';

export interface TellerTerms {
  readonly state: ReconcilerState;
  readonly logger: Logger;
  readonly metrics: ReconcilerMetrics;
  /** Something was told that must not be told again. */
  readonly changed: () => void;
}

/** Of each kind, until a pass ends: a lost disk must not write a million. */
const MOST_LINES = 1_000;

/** Tells of each difference once, at the moment it is found. */
export class Teller {
  readonly #terms: TellerTerms;
  readonly #lines = { violations: 0, others: 0 };
  #unwritten = 0;

  constructor(terms: TellerTerms) {
    this.#terms = terms;
  }

  found(difference: Difference, run: number, surveyed: boolean): void {
    const { state, metrics, changed } = this.#terms;
    if (!state.found(difference, run, surveyed)) return;
    const violation = isViolation(difference.code);
    if (violation) {
      metrics.violated(difference.code);
      metrics.open(state.open);
    }
    this.#write(difference, violation);
    if (violation) changed();
  }

  closed(findings: readonly Finding[]): void {
    const { state, logger, metrics } = this.#terms;
    metrics.open(state.open);
    const gone = Map.groupBy(
      findings.filter(({ code }) => isViolation(code)),
      ({ code, site }) => `${code} ${site}`,
    );
    for (const some of gone.values()) {
      const [{ code, site } = { code: '', site: '' }] = some;
      logger.info('What stood where it must not is there no more.', {
        code,
        ...(site === '' ? {} : { site }),
        records: some.length,
      });
    }
  }

  /** A pass ended: lines may be written again. */
  passEnded(): void {
    if (this.#unwritten > 0)
      this.#terms.logger.warn('There were more differences than lines.', {
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
      ...(site === undefined ? {} : { site }),
      ...(position === undefined ? {} : { position }),
      ...(submission === undefined ? {} : { submission }),
    };
    if (violation) this.#terms.logger.error('Something stands where it must not.', fields);
    else this.#terms.logger.warn('Sites and audit log differ.', fields);
  }
}
