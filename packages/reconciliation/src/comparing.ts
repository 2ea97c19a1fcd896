import type { LogRecord, TopicPartition } from '@residency/contracts';
import type { KeptComparison } from './kept-comparison.ts';
import type { ReportDifference } from './ledger-difference.ts';
import type { OpenedLedger } from './opened-ledger.ts';

/** What the comparison of one log with its ledger came to. */
export interface Compared {
  /** Records of the log that are leaves, or will be. */
  readonly records: number;
  /** Leaves that were compared with their records. */
  readonly compared: number;
  /** Records behind the checkpoint: they were appended after it, or the ledger lags. */
  readonly notYet: number;
}

export interface ComparingDeps {
  readonly of: TopicPartition;
  /** `undefined`: it has no checkpoint, or none that can be read. */
  readonly ledger: OpenedLedger | undefined;
  /** Has the leaves before the first record's. */
  readonly kept: KeptComparison | undefined;
  /** The index of the first record's leaf. */
  readonly first: number;
  readonly report: ReportDifference;
}

/** The comparison of one log with its ledger. */
export interface Comparing {
  /** From the log's start, in order. */
  follow(record: LogRecord): Promise<void>;
  end(): Compared;
}
