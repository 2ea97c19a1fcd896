import { BoundedLabel } from './bounded-label.ts';
import type { Instruments } from './instruments.ts';
import { violationCounter } from './violations.ts';

export interface LedgerMetrics {
  /**
   * A partition's ledger, in leaves: under the published checkpoint, and read. `current`: the
   * checkpoint covers all events.
   */
  grown(
    partition: number,
    progress: { readonly published: number; readonly size: number; readonly current: boolean },
  ): void;
  /** A fault of the audit log, by its kind. */
  found(kind: string): void;
  /** The code of the error for which a partition's ledger waits; `undefined`: it continues. */
  waits(partition: number, code: string | undefined): void;
}

/** The kinds of the auditing package, which this package may not import. */
const KINDS = ['HOLE', 'REPEAT', 'UNDECODABLE', 'MISPLACED', 'ALSO_IN'];
/** An audit event of another log or partition counts as a violation. */
const VIOLATIONS = ['MISPLACED'];
const MAX_CODES = 64;

export function ledgerMetrics(make: Instruments, now: () => number): LedgerMetrics {
  const size = make.gauge('residency_ledger_size');
  const pending = make.gauge('residency_ledger_pending');
  const current = new Map<number, number>();
  const age = make.gauge('residency_ledger_checkpoint_age_seconds', () => {
    for (const [partition, at] of current)
      age.set({ partition }, Math.max(0, (now() - at) / 1_000));
  });
  const findings = make.counter('residency_audit_findings_total');
  const waiting = make.gauge('residency_ledger_blocked');
  const violated = violationCounter(make, 'auditor', VIOLATIONS);
  const [kinds, codes] = [new BoundedLabel(KINDS), new BoundedLabel([], MAX_CODES)];
  const waitsFor = new Map<number, string>();
  // A counter that is absent until its first finding hides that finding from `increase()`.
  for (const kind of KINDS) findings.inc({ kind }, 0);
  return {
    grown: (partition, progress) => {
      size.set({ partition }, progress.published);
      pending.set({ partition }, progress.size - progress.published);
      if (progress.current || !current.has(partition)) current.set(partition, now());
    },
    found: (kind) => {
      findings.inc({ kind: kinds.value(kind) });
      if (VIOLATIONS.includes(kind)) violated(kind);
    },
    waits: (partition, code) => {
      const before = waitsFor.get(partition);
      if (before !== undefined) waiting.remove({ partition, code: before });
      waitsFor.delete(partition);
      if (!current.has(partition)) current.set(partition, now());
      if (code === undefined) return;
      const label = codes.value(code);
      waitsFor.set(partition, label);
      waiting.set({ partition, code: label }, 1);
    },
  };
}
