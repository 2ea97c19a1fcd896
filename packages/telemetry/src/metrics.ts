import { OUTCOMES, QUARANTINE_REASONS, REFUSAL_REASONS } from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import { BoundedLabel } from './bounded-label.ts';
import { ledgerMetrics } from './ledger-metrics.ts';
import type { LedgerMetrics } from './ledger-metrics.ts';

export interface MetricsOptions {
  readonly version: string;
  /** The policy's regions; any other is counted as `other`. */
  readonly regions: readonly string[];
}

export interface Metrics {
  /** One settled record. Labels: `reason` and `region` are empty where the outcome has none. */
  settled(event: Pick<AuditEvent, 'outcome' | 'data'>): void;
  /** Why routing waits, as an error's code; `undefined` once it goes on. */
  blocked(code: string | undefined): void;
  /** For who grows ledgers: `now` is the time in milliseconds. Once. */
  ledger(now: () => number): LedgerMetrics;
  /** What `/metrics` answers. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>;
}

/** Codes come from our own lists; the bound holds should one ever be made of input. */
const MAX_CODES = 64;

/** A registry of its own, so that two in one process never mix. */
export function createMetrics({ version, regions }: MetricsOptions): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  new Gauge({ name: 'residency_build_info', help: 'The running version; always 1.', labelNames: ['version'], registers: [registry] }).set({ version }, 1);
  const submissions = new Counter({ name: 'residency_submissions_total', help: 'Settled records of the intake log.', labelNames: ['outcome', 'reason', 'region'], registers: [registry] });
  const bytes = new Counter({ name: 'residency_sample_bytes_total', help: 'Bytes of the samples that were stored, before sealing.', labelNames: ['region'], registers: [registry] });
  const blocking = new Gauge({ name: 'residency_router_blocked', help: '1 for the code of the error routing waits for.', labelNames: ['code'], registers: [registry] });

  const outcome = new BoundedLabel(OUTCOMES);
  const reason = new BoundedLabel([...QUARANTINE_REASONS, ...REFUSAL_REASONS]);
  const region = new BoundedLabel(regions);
  const code = new BoundedLabel([], MAX_CODES);
  // A counter that is absent until its first event hides that event from `increase()`.
  for (const place of regions) {
    submissions.inc({ outcome: 'stored', reason: '', region: place }, 0);
    bytes.inc({ region: place }, 0);
  }

  return {
    settled: ({ outcome: what, data }) => {
      const place = 'decision' in data && data.decision !== undefined ? region.value(data.decision.region) : '';
      submissions.inc({ outcome: outcome.value(what), reason: 'reason' in data ? reason.value(data.reason) : '', region: place });
      if (what === 'stored' && data.sampleBytes !== undefined) bytes.inc({ region: place }, data.sampleBytes);
    },
    blocked: (now) => {
      blocking.reset();
      if (now !== undefined) blocking.set({ code: code.value(now) }, 1);
    },
    ledger: (now) => ledgerMetrics(registry, now),
    render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}
