/** Where a fact about a system stops being fine: beyond `seconds` it is wrong, at it it is not. */
export interface Limit {
  readonly seconds: number;
  /** What it limits, as docs/reference/limits.md says it. */
  readonly of: string;
  /** Why it is this number. */
  readonly source: string;
  /** Comparisons of a metric with this limit in the rules of deploy/prometheus. */
  readonly alerts: readonly AlertComparison[];
}

export interface AlertComparison {
  readonly alert: string;
  readonly metric: string;
  /** `below`: the metric is compared with the negative limit. */
  readonly side: 'above' | 'below';
}

export type LimitName =
  | 'outcomeAge'
  | 'openTransactionAge'
  | 'viewLag'
  | 'appendTimeAhead'
  | 'appendTimeBehind'
  | 'ledgerLag'
  | 'copyOwed'
  | 'erasureWaiting';

export type Limits = Readonly<Record<LimitName, Limit>>;

/**
 * Every limit there is on what `status` and `doctor` report, what the alerts fire on, and what a
 * router waits for before `/readyz` names it. A number that is not here is nobody's limit
 * (docs/decisions/0026).
 */
export const LIMITS: Limits = {
  outcomeAge: {
    seconds: 60,
    of: 'From the append of a record to the intake log until its outcome is settled.',
    source: 'The objective: 99.9 % of the records of 30 days within 60 s.',
    alerts: [
      {
        alert: 'ResidencyNoProgress',
        metric: 'residency_oldest_unsettled_age_seconds',
        side: 'above',
      },
    ],
  },
  openTransactionAge: {
    seconds: 60,
    of: 'From the first record of a transaction until the transaction ends.',
    source:
      "Transactions of routers and publishers end within seconds; Kafka's default `transaction.timeout.ms` aborts them after 60 s.",
    alerts: [
      { alert: 'ResidencyLogUndecided', metric: 'residency_undecided_age_seconds', side: 'above' },
    ],
  },
  viewLag: {
    seconds: 30,
    of: 'How far the watermark of the consent view or of the policy log is behind now.',
    source:
      'A projector ticks every 250 ms. A new projector takes over, and a view is read anew, within 30 s.',
    alerts: [
      {
        alert: 'ResidencyViewStale',
        metric: 'residency_view_watermark_lag_seconds',
        side: 'above',
      },
    ],
  },
  appendTimeAhead: {
    seconds: 5,
    of: "How far the append times of a partition are ahead of the observer's clock.",
    source:
      'The clocks of brokers may differ by a second (DESIGN §6), and the clock of the observer by some more.',
    alerts: [
      {
        alert: 'ResidencyClockWrong',
        metric: 'residency_append_time_ahead_seconds',
        side: 'above',
      },
    ],
  },
  appendTimeBehind: {
    seconds: 30,
    of: "How far the append times of a partition are behind the observer's clock.",
    source:
      'A record becomes visible only after it is replicated, so it is seen later than it was stamped.',
    alerts: [
      {
        alert: 'ResidencyClockWrong',
        metric: 'residency_append_time_ahead_seconds',
        side: 'below',
      },
    ],
  },
  ledgerLag: {
    seconds: 300,
    of: 'From the append of an audit event until a checkpoint of its ledger covers it, beside the interval between two checkpoints.',
    source:
      'An auditor that starts anew reads its ledgers and catches up within minutes, and nothing waits for it.',
    alerts: [
      {
        alert: 'ResidencyCheckpointStale',
        metric: 'residency_ledger_checkpoint_age_seconds',
        side: 'above',
      },
    ],
  },
  copyOwed: {
    seconds: 3_600,
    of: 'From the append of a record until every site of its region has its copy, if a later site was away.',
    source:
      'A restart or a short outage of a site is over sooner, and its copies are made within minutes.',
    alerts: [
      {
        alert: 'ResidencyCopiesOwed',
        metric: 'residency_copies_owed_age_seconds',
        side: 'above',
      },
    ],
  },
  erasureWaiting: {
    seconds: 86_400,
    of: 'From the append of an order to erase until all its samples that are not on hold are erased in the sites in service.',
    source:
      'A custodian erases within minutes, and waits for accesses for at most their lifetime. What a person must look at is seen within a day, long before the month that data protection law gives.',
    alerts: [
      {
        alert: 'ResidencyErasureWaiting',
        metric: 'residency_erasure_oldest_age_seconds',
        side: 'above',
      },
    ],
  },
};
