import type { LogRecord } from '@residency/contracts';
import { recordBytes } from '../to-log-record.ts';

export interface BatchLimits {
  readonly maxBatchRecords: number;
  readonly maxBatchBytes: number;
}

/** The fetched records of a partition that are not handed over yet, in offset order. */
export class PendingRecords {
  readonly #limits: BatchLimits;
  #records: LogRecord[] = [];
  #bytes = 0;

  constructor(limits: BatchLimits) {
    this.#limits = limits;
  }

  /** True if a whole batch is pending, so that there is no use in fetching ahead. */
  get full(): boolean {
    return (
      this.#records.length >= this.#limits.maxBatchRecords ||
      this.#bytes >= this.#limits.maxBatchBytes
    );
  }

  get empty(): boolean {
    return this.#records.length === 0;
  }

  add(records: readonly LogRecord[]): void {
    this.#records = [...this.#records, ...records];
    this.#bytes += bytesOf(records);
  }

  /** Returns records that were taken and not settled. */
  putBack(records: readonly LogRecord[]): void {
    this.#records = [...records, ...this.#records];
    this.#bytes += bytesOf(records);
  }

  /** The next batch. A record that is larger than a batch comes alone. */
  take(): LogRecord[] {
    const { maxBatchRecords, maxBatchBytes } = this.#limits;
    let bytes = 0;
    let count = 0;
    for (const record of this.#records) {
      bytes += recordBytes(record);
      if (count === maxBatchRecords || (count > 0 && bytes > maxBatchBytes)) break;
      count += 1;
    }
    const taken = this.#records.slice(0, count);
    this.#records = this.#records.slice(count);
    this.#bytes -= bytesOf(taken);
    return taken;
  }

  clear(): void {
    this.#records = [];
    this.#bytes = 0;
  }
}

function bytesOf(records: readonly LogRecord[]): number {
  return records.reduce((sum, record) => sum + recordBytes(record), 0);
}
