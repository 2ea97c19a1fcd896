import type { LogRecord } from '@residency/contracts';

/** What the comparison of one log with its ledger came to. */
export interface Compared {
  /** Records of the log that are leaves, or will be. */
  readonly records: number;
  /** Leaves that were compared with their records. */
  readonly compared: number;
  /** Records behind the checkpoint: they were appended after it, or the ledger lags. */
  readonly notYet: number;
}

/** The comparison of one log with its ledger. */
export interface Comparing {
  /** From the log's start, in order. */
  follow(record: LogRecord): Promise<void>;
  end(): Compared;
}
