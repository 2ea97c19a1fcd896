import { OUTCOMES, QUARANTINE_REASONS, REFUSAL_REASONS } from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import { BoundedLabel } from './bounded-label.ts';
import type { Instruments } from './instruments.ts';

export interface RouterMetrics {
  /** One settled record. The labels `reason` and `region` are empty if the outcome has none. */
  settled(event: Pick<AuditEvent, 'outcome' | 'data' | 'at'>): void;
  /** Call when a stage begins; call the returned function when it ends. */
  readonly stage: (stage: string) => () => void;
  /** A transaction that settles a batch ended after this time. */
  readonly transaction: (result: string, milliseconds: number) => void;
  /** The record that blocks its partition; `undefined`: none does. */
  blocked(partition: number, offset: bigint | undefined): void;
  /** A later site is left out, or is used again. */
  readonly leftOut: (site: string, isLeftOut: boolean) => void;
  /** The number of partitions that this router now owns. */
  rebalanced(partitions: number): void;
}

export interface RouterMetricsOptions {
  readonly regions: readonly string[];
  readonly sites: readonly string[];
  /** Wall clock, milliseconds. */
  readonly now: () => number;
}

const STAGES = ['decode', 'views', 'decide', 'seal', 'store', 'flush'];
const RESULTS = ['commit', 'abort', 'unknown'];

export function routerMetrics(
  make: Instruments,
  { regions, sites, now }: RouterMetricsOptions,
): RouterMetrics {
  const submissions = make.counter('residency_submissions_total');
  const bytes = make.counter('residency_sample_bytes_total');
  const age = make.histogram('residency_settlement_age_seconds');
  const duration = make.histogram('residency_stage_duration_seconds');
  const inFlight = make.gauge('residency_stage_in_flight');
  const completed = make.gauge('residency_stage_last_completed_timestamp_seconds');
  const transactions = make.counter('residency_transactions_total');
  const took = make.histogram('residency_transaction_duration_seconds');
  const blockedAt = make.gauge('residency_routing_blocked_offset');
  const leftOut = make.gauge('residency_site_left_out');
  const rebalances = make.counter('residency_rebalances_total');
  const owned = make.gauge('residency_partitions_owned');
  const [outcome, reason, region] = [
    new BoundedLabel(OUTCOMES),
    new BoundedLabel([...QUARANTINE_REASONS, ...REFUSAL_REASONS]),
    new BoundedLabel(regions),
  ];
  const site = new BoundedLabel(sites);
  for (const one of sites) leftOut.set({ site: one }, 0);
  const [stages, results] = [new BoundedLabel(STAGES), new BoundedLabel(RESULTS)];
  // A counter that is absent until its first event hides that event from `increase()`.
  for (const place of regions) {
    submissions.inc({ outcome: 'stored', reason: '', region: place }, 0);
    bytes.inc({ region: place }, 0);
  }
  for (const why of QUARANTINE_REASONS) {
    submissions.inc({ outcome: 'quarantined', reason: why, region: '' }, 0);
  }
  for (const place of ['', ...regions]) age.zero({ region: place });
  for (const result of RESULTS) transactions.inc({ result }, 0);
  for (const stage of STAGES) inFlight.set({ stage }, 0);
  return {
    settled: ({ outcome: what, data, at }) => {
      const place =
        'decision' in data && data.decision !== undefined ? region.value(data.decision.region) : '';
      submissions.inc({
        outcome: outcome.value(what),
        reason: 'reason' in data ? reason.value(data.reason) : '',
        region: place,
      });
      if (what === 'stored' && data.sampleBytes !== undefined)
        bytes.inc({ region: place }, data.sampleBytes);
      age.observe({ region: place }, Math.max(0, now() - at) / 1_000);
    },
    stage: (name) => {
      const stage = stages.value(name);
      const since = performance.now();
      inFlight.inc({ stage });
      return () => {
        inFlight.dec({ stage });
        duration.observe({ stage }, (performance.now() - since) / 1_000);
        completed.set({ stage }, now() / 1_000);
      };
    },
    transaction: (result, milliseconds) => {
      transactions.inc({ result: results.value(result) });
      took.observe(milliseconds / 1_000);
    },
    blocked: (partition, offset) => {
      if (offset === undefined) blockedAt.remove({ partition });
      else blockedAt.set({ partition }, Number(offset));
    },
    leftOut: (where, isLeftOut) => {
      leftOut.set({ site: site.value(where) }, isLeftOut ? 1 : 0);
    },
    rebalanced: (partitions) => {
      blockedAt.reset();
      rebalances.inc();
      owned.set(partitions);
    },
  };
}
