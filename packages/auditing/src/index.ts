export type { AdjudicateDeps, AdjudicateOptions, Adjudication } from './adjudicating/adjudicate.ts';
export { adjudicate } from './adjudicating/adjudicate.ts';
export type { ConsentRecord } from './adjudicating/consent-histories.ts';
export type { AdjudicationCode, AdjudicationDifference } from './adjudicating/difference.ts';
export { ADJUDICATION_CODES } from './adjudicating/difference.ts';
export type { Move, WhatIf } from './adjudicating/what-if.ts';
export { whatIf } from './adjudicating/what-if.ts';
export type { AuditRecord } from './audit-record.ts';
export type { Period } from './audit-record.ts';
export type { AuditingErrorCode } from './auditing-error.ts';
export { AUDITING_ERROR_CODES, AuditingError } from './auditing-error.ts';
export { csvCell } from './exporting/csv-cell.ts';
export { CSV_COLUMNS, csvRow } from './exporting/csv-row.ts';
export { CustodySelection } from './exporting/select-custody.ts';
export type { Selected } from './exporting/select-events.ts';
export { Selection } from './exporting/select-events.ts';
export type { BeginLedgerOptions, BegunLedger } from './growing/begin-ledger.ts';
export { beginLedger } from './growing/begin-ledger.ts';
export type { ChangeKeyOptions } from './growing/change-key.ts';
export { changeKey, followKeys } from './growing/change-key.ts';
export type { CheckLedgerOptions, CheckedLedger } from './growing/check-ledger.ts';
export { checkLedger, saysOfLedger } from './growing/check-ledger.ts';
export type { AuditAnomaly, AuditAnomalyKind } from './growing/audit-anomaly.ts';
export { AUDIT_ANOMALY_KINDS } from './growing/audit-anomaly.ts';
export type { GrowLedgerOptions, LedgerProgress } from './growing/grow-ledger.ts';
export { growLedger } from './growing/grow-ledger.ts';
export { leafOf } from './growing/leaf-of.ts';
export type { LeafWatchOptions } from './growing/leaf-watch.ts';
export { LeafWatch } from './growing/leaf-watch.ts';
export {
  FIRST_LEAF_PATH,
  checkpointPath,
  isLedgerPath,
  isSuccessor,
  keyChangePath,
  ledgerOrigin,
  ledgerPath,
  topicOfOrigin,
} from './growing/ledger-paths.ts';
export type { LogKind } from './logs/log-kind.ts';
export { kindOf } from './logs/kind-of.ts';
export { custodyLogsOf } from './logs/custody-logs.ts';
export { RECORD_LOGS, isRecordLog } from './logs/record-logs.ts';
export type { RecordTopic } from './logs/record-logs.ts';
export { logText } from './logs/log-text.ts';
export { RecentRegions } from './growing/recent-regions.ts';
export type {
  AuditReading,
  AuditRestorer,
  CustodyRestorer,
  LogReading,
  RestoredEntry,
} from './ports/log-restorers.ts';
export type { LedgerRecord, LedgerSource, SourceStart } from './ports/ledger-source.ts';
export type { KeptCheckpoints } from './ports/kept-checkpoints.ts';
export type { LedgerStore } from './ports/ledger-store.ts';
export type { RegionIndex } from './ports/region-index.ts';
export type { Scratch } from './ports/scratch.ts';
export { SCRATCH_PARTS } from './ports/scratch.ts';
export type { ConsentRow } from './replaying/consent-totals.ts';
export { ConsentTotals } from './replaying/consent-totals.ts';
export type { PartitionDigest } from './replaying/replay-digest.ts';
export { ReplayDigest } from './replaying/replay-digest.ts';
export type { CustodyFault, CustodyReplay } from './replaying/replay-custody.ts';
export { replayCustody } from './replaying/replay-custody.ts';
export type { Replay, ReplayFault, ReplayOptions } from './replaying/replay.ts';
export { replay } from './replaying/replay.ts';
export type { Tally } from './replaying/tally.ts';
export type { Totals } from './replaying/totals.ts';
export { compareKept } from './verifying/compare-kept.ts';
export type { RestoredLedger } from './restoring/ledger-entries.ts';
export { LedgerEntries } from './restoring/ledger-entries.ts';
export type { AuditRestorePlan, RestoreOptions, RestorePlan } from './restoring/restore.ts';
export {
  planCustodyRestore,
  planRestore,
  restoreAuditLog,
  restoreCustodyLog,
} from './restoring/restore.ts';
export type { EntryFault } from './verifying/entry-faults.ts';
export type { FsckOptions, FsckReport } from './verifying/fsck.ts';
export { fsck } from './verifying/fsck.ts';
export { findLeaf } from './verifying/find-leaf.ts';
export type { LedgerFault, LedgerFaultCode } from './verifying/ledger-fault.ts';
export { LEDGER_FAULT_CODES } from './verifying/ledger-fault.ts';
export type { Proven } from './verifying/prove.ts';
export { prove } from './verifying/prove.ts';
