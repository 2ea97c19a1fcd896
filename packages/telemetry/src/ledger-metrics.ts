import { Counter, Gauge } from 'prom-client';
import type { Registry } from 'prom-client';
import { BoundedLabel } from './bounded-label.ts';

export interface LedgerMetrics {
  /** A partition's ledger, leaves: under the published checkpoint, and read. `current`: the checkpoint covers all there is. */
  grown(partition: number, progress: { readonly published: number; readonly size: number; readonly current: boolean }): void;
  /** Something wrong with the audit log, by its kind. */
  found(kind: string): void;
  /** Why a partition's ledger waits, as an error's code; `undefined` once it goes on. */
  waits(partition: number, code: string | undefined): void;
}

/** Of the auditing package; this one may not know it. */
const KINDS = ['HOLE', 'REPEAT', 'UNDECODABLE', 'MISPLACED', 'ALSO_IN'];
const MAX_CODES = 64;

export function ledgerMetrics(registry: Registry, now: () => number): LedgerMetrics {
  const registers = [registry];
  const size = new Gauge({ name: 'residency_ledger_size', help: 'Leaves under the published checkpoint.', labelNames: ['partition'], registers });
  const pending = new Gauge({ name: 'residency_ledger_pending', help: 'Leaves that were read and are under no checkpoint yet.', labelNames: ['partition'], registers });
  const current = new Map<number, number>();
  const age = new Gauge({
    name: 'residency_ledger_checkpoint_age_seconds', help: 'Since the checkpoint last covered everything in the audit log, or since the start.', labelNames: ['partition'], registers,
    collect: () => { for (const [partition, at] of current) age.set({ partition }, Math.max(0, (now() - at) / 1_000)); },
  });
  const findings = new Counter({ name: 'residency_audit_findings_total', help: 'What is wrong with the audit log, since the start.', labelNames: ['kind'], registers });
  const waiting = new Gauge({ name: 'residency_ledger_blocked', help: '1 for the code of the error a ledger waits for.', labelNames: ['partition', 'code'], registers });
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
    found: (kind) => { findings.inc({ kind: kinds.value(kind) }); },
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
