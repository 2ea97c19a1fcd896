import { LIMITS } from '@residency/observation';
import { METRIC_SOURCES } from './metric-sources.ts';
import type { MetricSource } from './metric-sources.ts';

export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Label name to a description of its values. All values are known in advance, so no input can add series. */
  readonly labels: Readonly<Record<string, string>>;
  /** Upper bounds of a histogram's buckets, in the metric's unit. */
  readonly buckets?: readonly number[];
  readonly by: readonly MetricSource[];
}

/** The service level objective, seconds. It is one of the histogram's bounds, so alerts can count by it. */
const OUTCOME_WITHIN_SECONDS = LIMITS.outcomeAge.seconds;

const ROUTERS = ['router', 'standalone'] as const;
const CUSTODIANS = ['custodian', 'standalone'] as const;
const REGION_OF_CUSTODIAN = 'a region of the deployment';
const CODE = "an error's code, or `other`";
const PARTITION = 'of the intake log, 0 and up';
const SITE = 'a site of the regions file';
const REGION = 'a region of the deployment, `other`; empty if nothing was decided';
const GROUP = {
  consumergroup: "the routers' group",
  topic: 'the intake topic, as the cluster names it',
  partition: PARTITION,
};
const TOPIC = { topic: 'a topic, as the cluster names it', partition: 'of the topic, 0 and up' };
const CALL_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];

const everywhere = {
  residency_build_info: {
    type: 'gauge',
    help: 'The running version; always 1.',
    labels: { service: "the service's name", version: 'its version' },
    by: METRIC_SOURCES,
  },
  residency_waiting: {
    type: 'gauge',
    help: "1 for the code of the error that the service's work waits for.",
    labels: { code: CODE },
    by: METRIC_SOURCES,
  },
  residency_errors_total: {
    type: 'counter',
    help: 'Log lines of level warn and error that have an error code.',
    labels: { code: CODE },
    by: METRIC_SOURCES,
  },
  residency_last_error_timestamp_seconds: {
    type: 'gauge',
    help: 'When the last log line with this code was written, Unix time.',
    labels: { code: CODE },
    by: METRIC_SOURCES,
  },
} as const satisfies Record<string, MetricDefinition>;

const routing = {
  residency_submissions_total: {
    type: 'counter',
    help: 'Settled records of the intake log.',
    labels: {
      outcome: 'stored, duplicate, refused, quarantined',
      reason: 'a reason of the contract; empty if the outcome has none',
      region: REGION,
    },
    by: ROUTERS,
  },
  residency_sample_bytes_total: {
    type: 'counter',
    help: 'Bytes of the samples that were stored, before sealing.',
    labels: { region: REGION },
    by: ROUTERS,
  },
  residency_settlement_age_seconds: {
    type: 'histogram',
    help: "From a record's append to the intake log until its outcome is visible. The objective is 60 s.",
    labels: { region: REGION },
    buckets: [1, 1.5, 2, 3, 5, 10, 20, 30, OUTCOME_WITHIN_SECONDS, 120, 300, 600, 1_800, 3_600],
    by: ROUTERS,
  },
  residency_stage_duration_seconds: {
    type: 'histogram',
    help: 'How long one run of a stage took, for a batch or for a sample.',
    labels: { stage: 'decode, views, decide, flush (of a batch), seal, store (of a sample)' },
    buckets: CALL_SECONDS,
    by: ROUTERS,
  },
  residency_stage_in_flight: {
    type: 'gauge',
    help: 'Runs of a stage that have begun and not ended.',
    labels: { stage: 'as above' },
    by: ROUTERS,
  },
  residency_stage_last_completed_timestamp_seconds: {
    type: 'gauge',
    help: 'When a run of the stage last ended, Unix time.',
    labels: { stage: 'as above' },
    by: ROUTERS,
  },
  residency_site_left_out: {
    type: 'gauge',
    help: '1 while a later site that may be owed its copies is left out because it failed; 0 otherwise.',
    labels: { site: SITE },
    by: ROUTERS,
  },
  residency_routing_blocked_offset: {
    type: 'gauge',
    help: 'The offset of the record that blocks its partition with a failure that no check foresees (RECORD_BLOCKED, SET_ASIDE_REFUSED). Absent if no record blocks.',
    labels: { partition: PARTITION },
    by: ROUTERS,
  },
  residency_store_requests_total: {
    type: 'counter',
    help: "Requests to a site's object store.",
    labels: {
      site: SITE,
      operation: 'put, head, get, list, delete',
      result:
        "`ok`; `exists`, `missing`, `conflict`: expected answers, not failures; `unclear`: an answer that does not come from a store; else an error's code",
    },
    by: ['router', 'reconciler', 'custodian'],
  },
  residency_store_request_duration_seconds: {
    type: 'histogram',
    help: 'How long a request to a site took, retries of the client included.',
    labels: { site: SITE, operation: 'as above' },
    buckets: CALL_SECONDS,
    by: ['router', 'reconciler', 'custodian'],
  },
  residency_transactions_total: {
    type: 'counter',
    help: 'Transactions that settle batches. `unknown`: no answer; the committed position shows the outcome after the next fence.',
    labels: { result: 'commit, abort, unknown' },
    by: ['router'],
  },
  residency_transaction_duration_seconds: {
    type: 'histogram',
    help: "From a transaction's begin to its commit, abort or failure.",
    labels: {},
    buckets: CALL_SECONDS,
    by: ['router'],
  },
  residency_rebalances_total: {
    type: 'counter',
    help: 'Assignments of partitions to this router.',
    labels: {},
    by: ['router'],
  },
  residency_partitions_owned: {
    type: 'gauge',
    help: 'Partitions of the intake log that are assigned to this router.',
    labels: {},
    by: ['router'],
  },
} as const satisfies Record<string, MetricDefinition>;

const views = {
  residency_view_watermark_lag_seconds: {
    type: 'gauge',
    help: "How far a view's watermark is behind now. A record is decided once the watermarks of both views are beyond its append time. A router reports only its policy view.",
    labels: { view: 'consent, policy' },
    by: ['router', 'exporter'],
  },
  residency_consent_view_halted: {
    type: 'gauge',
    help: '1 while the consent view is halted because append time went back.',
    labels: {},
    by: ['exporter'],
  },
  residency_policy_in_force_info: {
    type: 'gauge',
    help: 'The policy version in force; always 1.',
    labels: { policy: "the policy's id", version: 'its number' },
    by: ['router', 'exporter'],
  },
  residency_policy_versions: {
    type: 'gauge',
    help: 'Valid policy versions published.',
    labels: {},
    by: ['exporter'],
  },
  residency_control_state: {
    type: 'gauge',
    help: '1 for the current state of control, set by `residency pause`, `drain` and `resume`.',
    labels: { state: 'running, paused, draining' },
    by: ['router', 'intake', 'exporter', 'standalone'],
  },
  residency_sites_out_of_service: {
    type: 'gauge',
    help: 'Sites that `residency site out` took out of service, or is taking out.',
    labels: {},
    by: ['router', 'intake', 'exporter', 'standalone'],
  },
  residency_projector_records_total: {
    type: 'counter',
    help: 'Records of the consent log that the consent view has applied.',
    labels: {},
    by: ['consent-projector'],
  },
  residency_projector_skipped_total: {
    type: 'counter',
    help: 'Records of the consent log that were skipped, because they hold no valid consent event.',
    labels: {},
    by: ['consent-projector'],
  },
  residency_ticks_total: {
    type: 'counter',
    help: 'Ticks appended to the consent and the policy log.',
    labels: { result: 'ok, failed' },
    by: ['consent-projector'],
  },
} as const satisfies Record<string, MetricDefinition>;

const logs = {
  kafka_consumergroup_lag: {
    type: 'gauge',
    help: 'Offsets of the intake log that are not settled, counted from the committed position or the last audit event, whichever is further. Absent if unknown.',
    labels: GROUP,
    by: ['exporter'],
  },
  kafka_consumergroup_current_offset: {
    type: 'gauge',
    help: 'The committed position of the group.',
    labels: GROUP,
    by: ['exporter'],
  },
  kafka_topic_partition_current_offset: {
    type: 'gauge',
    help: 'The offset that the next record gets.',
    labels: TOPIC,
    by: ['exporter'],
  },
  kafka_topic_partition_oldest_offset: {
    type: 'gauge',
    help: 'The first offset that the partition still holds.',
    labels: TOPIC,
    by: ['exporter'],
  },
  residency_oldest_unsettled_age_seconds: {
    type: 'gauge',
    help: 'Age of the first record that is not settled, since its append, as of the last read. The record may be in an open transaction. 0 if all records are settled; absent if unknown.',
    labels: { partition: PARTITION },
    by: ['exporter', 'standalone'],
  },
  residency_undecided_age_seconds: {
    type: 'gauge',
    help: 'Age of the oldest open transaction, since the append of its first record, as of the last read. All records behind that record wait for the end of the transaction. Absent if no transaction is open.',
    labels: TOPIC,
    by: ['exporter'],
  },
  residency_log_replaced: {
    type: 'gauge',
    help: '1 if the topic is not the one that was settled: it was recreated, or it lost its end and was appended to. 0 if it is the same; absent if unknown.',
    labels: { topic: TOPIC.topic },
    by: ['exporter'],
  },
  residency_append_time_ahead_seconds: {
    type: 'gauge',
    help: "Lower bound of how far append times are ahead of the exporter's clock. Negative: the append times since the previous read are behind it. 0: no difference is proven.",
    labels: TOPIC,
    by: ['exporter'],
  },
  residency_progress_lost: {
    type: 'gauge',
    help: '1 if the first offset that is not settled is outside the log: records were deleted unsettled, or the log lost its end.',
    labels: { partition: PARTITION },
    by: ['exporter'],
  },
  residency_quarantine_records: {
    type: 'gauge',
    help: 'Quarantined records that were neither redriven nor closed and that the intake log still holds.',
    labels: { reason: 'a reason of the contract' },
    by: ['exporter'],
  },
  residency_quarantine_oldest_age_seconds: {
    type: 'gauge',
    help: 'Age of the oldest of these records, since its append. Absent if there is none.',
    labels: {},
    by: ['exporter'],
  },
  residency_quarantine_time_left_seconds: {
    type: 'gauge',
    help: 'Time until the intake log drops the oldest of these records, so that it cannot be redriven. Absent if there is none.',
    labels: {},
    by: ['exporter'],
  },
  residency_quarantine_expired_total: {
    type: 'counter',
    help: 'Quarantined records that the intake log dropped before they were redriven or closed, since the start.',
    labels: {},
    by: ['exporter'],
  },
  residency_intake_retention_seconds: {
    type: 'gauge',
    help: 'How long the intake log keeps records.',
    labels: {},
    by: ['exporter'],
  },
  residency_exporter_last_success_timestamp_seconds: {
    type: 'gauge',
    help: 'When the exporter last read a source, Unix time; 0: not since its start. If the source cannot be read, this value does not change, and the metrics from that source are absent.',
    labels: { source: 'kafka, redis, policy, control, quarantine' },
    by: ['exporter'],
  },
} as const satisfies Record<string, MetricDefinition>;

/** The logs that have ledgers. */
const LEDGERED =
  'residency.audit, residency.custody.<region>, residency.policy, residency.control or threat.consents';

const proof = {
  residency_ledger_size: {
    type: 'gauge',
    help: 'Leaves that the published checkpoint covers.',
    labels: { topic: LEDGERED, partition: PARTITION },
    by: ['auditor', 'standalone'],
  },
  residency_ledger_pending: {
    type: 'gauge',
    help: 'Leaves that were read and that no checkpoint covers yet.',
    labels: { topic: LEDGERED, partition: PARTITION },
    by: ['auditor', 'standalone'],
  },
  residency_ledger_checkpoint_age_seconds: {
    type: 'gauge',
    help: 'Time since the checkpoint last covered all events of the log, or since the start.',
    labels: { topic: LEDGERED, partition: PARTITION },
    by: ['auditor', 'standalone'],
  },
  residency_ledger_blocked: {
    type: 'gauge',
    help: '1 for the code of the error that the ledger waits for.',
    labels: { topic: LEDGERED, partition: PARTITION, code: CODE },
    by: ['auditor', 'standalone'],
  },
  residency_audit_findings_total: {
    type: 'counter',
    help: 'Faults found in the audit log and in custody logs, since the start.',
    labels: {
      topic: LEDGERED,
      kind: 'HOLE, REPEAT, UNDECODABLE, MISPLACED, ALSO_IN, REPEATED_KEY, MISSING, other',
    },
    by: ['auditor', 'standalone'],
  },
  residency_violations_total: {
    type: 'counter',
    help: 'Objects and events found in the wrong place, each counted once. Must stay 0.',
    labels: {
      found_by: 'auditor, reconciler',
      code: 'WRONG_REGION, OBJECT_WITHOUT_EVENT, FOREIGN_OBJECT, FOREIGN_SITE, CONTEXT_DIFFERS, MISPLACED',
    },
    by: ['auditor', 'reconciler', 'standalone'],
  },
  residency_violations_open: {
    type: 'gauge',
    help: 'Objects in the wrong place, as the last check of their site found them. The value survives restarts.',
    labels: { site: SITE, code: 'as above, without MISPLACED' },
    by: ['reconciler'],
  },
  residency_differences_open: {
    type: 'gauge',
    help: 'All differences between the sites and the audit log in the last complete pass, for the sites that it could read.',
    labels: { code: 'a code of reconciliation' },
    by: ['reconciler'],
  },
  residency_placements_checked_total: {
    type: 'counter',
    help: 'Objects read and compared with their audit event.',
    labels: { site: SITE },
    by: ['reconciler'],
  },
  residency_placement_last_checked_timestamp_seconds: {
    type: 'gauge',
    help: 'The start of the last complete pass, Unix time. Every object that was in the site at that time has been checked since.',
    labels: { site: SITE },
    by: ['reconciler'],
  },
  residency_reconciliation_passes_total: {
    type: 'counter',
    help: 'Passes over all placements that have ended.',
    labels: {
      result:
        'clean, different; failed: ended early by an error; the next pass continues from there',
    },
    by: ['reconciler'],
  },
  residency_reconciliation_pass_objects: {
    type: 'gauge',
    help: 'Objects of the current pass, of all sites.',
    labels: { state: 'listed, checked' },
    by: ['reconciler'],
  },
  residency_repairs_proposed: {
    type: 'gauge',
    help: '1 while the site lacks copies, or has damaged ones, that `residency site repair` would make anew and that nothing else will.',
    labels: { site: SITE },
    by: ['reconciler'],
  },
  residency_repairs_ordered_total: {
    type: 'counter',
    help: 'Repairs of the site that were ordered without a person (RESIDENCY_REPAIR=auto).',
    labels: { site: SITE },
    by: ['reconciler'],
  },
  residency_samples_overdue: {
    type: 'gauge',
    help: 'Samples that are stored for longer than the policy keeps them (`keepDays`), as the last run found: without those that are erased or on hold. Absent: the policy has no limit for the region.',
    labels: { region: 'a region of the regions file, `other`' },
    by: ['reconciler'],
  },
} as const satisfies Record<string, MetricDefinition>;

const custody = {
  residency_copies_owed: {
    type: 'gauge',
    help: 'Copies of stored samples that the site lacks.',
    labels: { site: SITE },
    by: CUSTODIANS,
  },
  residency_copies_owed_age_seconds: {
    type: 'gauge',
    help: 'Time since the append of the oldest record whose copy the site lacks; 0 if it lacks none.',
    labels: { site: SITE },
    by: CUSTODIANS,
  },
  residency_copies_unpaid: {
    type: 'gauge',
    help: 'Owed copies that a custodian cannot make although the sites answer. They are tried again once a minute.',
    labels: {
      region: REGION_OF_CUSTODIAN,
      code: 'NO_GOOD_COPY, ONLY_ANOTHER_CIPHERTEXT, STORED_TWICE, STRANGER_UNSETTLED, STRANGER_UNKNOWN, OBJECT_UNREADABLE',
    },
    by: CUSTODIANS,
  },
  residency_copies_total: {
    type: 'counter',
    help: 'Copies made in the site, each with its custody event.',
    labels: { site: SITE, cause: 'owed: the site lacked it; repair: an order made it anew' },
    by: CUSTODIANS,
  },
  residency_repairs_open: {
    type: 'gauge',
    help: 'Orders to repair the site that are not closed.',
    labels: { site: SITE },
    by: CUSTODIANS,
  },
  residency_repairs_closed_total: {
    type: 'counter',
    help: 'Orders to repair the site that were closed.',
    labels: {
      site: SITE,
      result:
        'whole: every copy is good; incomplete: some could not be made anew; refused: the region has no such site',
    },
    by: CUSTODIANS,
  },
  residency_erasures_waiting: {
    type: 'gauge',
    help: 'Samples of the region that are ordered to be erased, were found, and have no tombstone yet in some site in service, without those on hold.',
    labels: { region: REGION_OF_CUSTODIAN },
    by: CUSTODIANS,
  },
  residency_erasures_held: {
    type: 'gauge',
    help: 'Samples of the region that are ordered to be erased and are on hold.',
    labels: { region: REGION_OF_CUSTODIAN },
    by: CUSTODIANS,
  },
  residency_erasure_oldest_age_seconds: {
    type: 'gauge',
    help: 'Time since the append of the oldest order to erase that has waiting samples in the region, or whose samples were not looked for yet; 0 if there is none.',
    labels: { region: REGION_OF_CUSTODIAN },
    by: CUSTODIANS,
  },
  residency_samples_erased_total: {
    type: 'counter',
    help: 'Custody events of erasures in the region: one for each sample, and one more if a site gets its tombstone later.',
    labels: { region: REGION_OF_CUSTODIAN },
    by: CUSTODIANS,
  },
  residency_losses_waiting: {
    type: 'gauge',
    help: 'Samples of the region that a person gave up and that wait: a site does not answer or is out of service, so it may have a copy.',
    labels: { region: REGION_OF_CUSTODIAN },
    by: CUSTODIANS,
  },
  residency_samples_lost_total: {
    type: 'counter',
    help: 'Custody events that a sample of the region is lost: no site has a good copy, and a person gave it up.',
    labels: { region: REGION_OF_CUSTODIAN },
    by: CUSTODIANS,
  },
  residency_custodian_round_timestamp_seconds: {
    type: 'gauge',
    help: 'The end of the last round over the debts of the region that had no error, Unix time.',
    labels: { region: REGION_OF_CUSTODIAN },
    by: CUSTODIANS,
  },
  residency_takeover_seconds: {
    type: 'gauge',
    help: 'Time from the begin of the last take-over of the region to when all its debts were known.',
    labels: { region: REGION_OF_CUSTODIAN },
    by: CUSTODIANS,
  },
  residency_takeover_records: {
    type: 'gauge',
    help: 'Records that the last take-over of the region read until all its debts were known.',
    labels: { region: REGION_OF_CUSTODIAN, log: 'audit, custody' },
    by: CUSTODIANS,
  },
  residency_register_saved_timestamp_seconds: {
    type: 'gauge',
    help: 'When the register of the region was saved last, Unix time. Absent if there is none.',
    labels: { region: REGION_OF_CUSTODIAN },
    by: CUSTODIANS,
  },
  residency_register_bytes: {
    type: 'gauge',
    help: 'Size of the register of the region.',
    labels: { region: REGION_OF_CUSTODIAN },
    by: CUSTODIANS,
  },
  residency_accesses_total: {
    type: 'counter',
    help: 'Answers about accesses to samples of the region, and to searches for them. Absent if samples are not given out here.',
    labels: {
      region: REGION_OF_CUSTODIAN,
      result:
        'recorded: an event says that a sample was asked for; approved; released: a sample was sent; searched: a search was answered; refused: the asker may not, or not now; failed: something did not answer, and nothing was given out',
    },
    by: CUSTODIANS,
  },
} as const satisfies Record<string, MetricDefinition>;

const http = {
  residency_http_requests_total: {
    type: 'counter',
    help: 'Requests to the intake, or to a custodian that gives out samples.',
    labels: { route: "a route's pattern, or `other`", status: 'an HTTP status' },
    by: ['intake', 'custodian', 'standalone'],
  },
  residency_http_request_duration_seconds: {
    type: 'histogram',
    help: 'How long a request to the intake, or to a custodian that gives out samples, took.',
    labels: { route: 'as above' },
    buckets: CALL_SECONDS,
    by: ['intake', 'custodian', 'standalone'],
  },
} as const satisfies Record<string, MetricDefinition>;

/** Every metric of this system. docs/reference/metrics.md is generated from it. */
export const METRICS = {
  ...everywhere,
  ...routing,
  ...views,
  ...logs,
  ...proof,
  ...custody,
  ...http,
};
export type MetricName = keyof typeof METRICS;

/** The sections of docs/reference/metrics.md, in order. */
export const METRIC_GROUPS: readonly {
  readonly title: string;
  readonly metrics: Readonly<Record<string, MetricDefinition>>;
}[] = [
  { title: 'Every service', metrics: everywhere },
  { title: 'Routing', metrics: routing },
  { title: 'Views and control', metrics: views },
  { title: 'The contents of the logs', metrics: logs },
  { title: 'Proof', metrics: proof },
  { title: 'Custody', metrics: custody },
  { title: 'The intake', metrics: http },
];
