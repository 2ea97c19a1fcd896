import { TOPICS } from '@residency/contracts';
import type { TopicPartition } from '@residency/contracts';
import { BoundedLabel } from './bounded-label.ts';
import type { Instruments } from './instruments.ts';
import { violationCounter } from './violations.ts';

export interface LedgerMetrics {
  /**
   * A ledger, in leaves: under the published checkpoint, and read. `current`: the checkpoint covers
   * all events.
   */
  grown(
    of: TopicPartition,
    progress: { readonly published: number; readonly size: number; readonly current: boolean },
  ): void;
  /** A fault of a log, by its kind. */
  found(topic: string, kind: string): void;
  /** The code of the error for which a ledger waits; `undefined`: it continues. */
  waits(of: TopicPartition, code: string | undefined): void;
}

/** The kinds of the auditing package, which this package may not import. */
const KINDS = ['HOLE', 'REPEAT', 'UNDECODABLE', 'MISPLACED', 'ALSO_IN', 'REPEATED_KEY', 'MISSING'];
/** An event of another log, partition or region counts as a violation. */
const VIOLATIONS = ['MISPLACED'];
const MAX_CODES = 64;

export function ledgerMetrics(make: Instruments, now: () => number): LedgerMetrics {
  const size = make.gauge('residency_ledger_size');
  const pending = make.gauge('residency_ledger_pending');
  const current = new Map<string, { readonly of: TopicPartition; readonly at: number }>();
  const age = make.gauge('residency_ledger_checkpoint_age_seconds', () => {
    for (const { of, at } of current.values())
      age.set(labelsOf(of), Math.max(0, (now() - at) / 1_000));
  });
  const findings = make.counter('residency_audit_findings_total');
  const waiting = make.gauge('residency_ledger_blocked');
  const violated = violationCounter(make, 'auditor', VIOLATIONS);
  const [kinds, codes] = [new BoundedLabel(KINDS), new BoundedLabel([], MAX_CODES)];
  const waitsFor = new Map<string, string>();
  const topics = new Set<string>();
  // A counter that is absent until its first finding hides that finding from `increase()`.
  const see = (topic: string): void => {
    if (topics.has(topic)) return;
    topics.add(topic);
    for (const kind of KINDS) findings.inc({ topic, kind }, 0);
  };
  see(TOPICS.audit);
  return {
    grown: (of, progress) => {
      see(of.topic);
      size.set(labelsOf(of), progress.published);
      pending.set(labelsOf(of), progress.size - progress.published);
      if (progress.current || !current.has(keyOf(of))) current.set(keyOf(of), { of, at: now() });
    },
    found: (topic, kind) => {
      findings.inc({ topic, kind: kinds.value(kind) });
      if (VIOLATIONS.includes(kind)) violated(kind);
    },
    waits: (of, code) => {
      see(of.topic);
      const before = waitsFor.get(keyOf(of));
      if (before !== undefined) waiting.remove({ ...labelsOf(of), code: before });
      waitsFor.delete(keyOf(of));
      if (!current.has(keyOf(of))) current.set(keyOf(of), { of, at: now() });
      if (code === undefined) return;
      const label = codes.value(code);
      waitsFor.set(keyOf(of), label);
      waiting.set({ ...labelsOf(of), code: label }, 1);
    },
  };
}

function keyOf({ topic, partition }: TopicPartition): string {
  return `${topic}/${partition}`;
}

function labelsOf({ topic, partition }: TopicPartition): TopicPartition {
  return { topic, partition };
}
