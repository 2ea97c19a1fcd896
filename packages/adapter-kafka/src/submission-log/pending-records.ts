import type { LogRecord } from '@residency/contracts';
import { recordBytes } from '../to-log-record.ts';

export interface BatchLimits {
  readonly maxBatchRecords: number;
  readonly maxBatchBytes: number;
}

interface Sized {
  readonly record: LogRecord;
  readonly bytes: number;
}

/** The fetched records of a partition that are not handed over yet, in offset order. */
export class PendingRecords {
  readonly #limits: BatchLimits;
  #records: Sized[] = [];
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
    for (const record of records) this.#records.push(this.#sized(record));
  }

  /** Returns records that were taken and not settled. */
  putBack(records: readonly LogRecord[]): void {
    this.#records = [...records.map((record) => this.#sized(record)), ...this.#records];
  }

  /** The next batch. A record that is larger than a batch comes alone. */
  take(): LogRecord[] {
    const { maxBatchRecords, maxBatchBytes } = this.#limits;
    let bytes = 0;
    let count = 0;
    for (const next of this.#records) {
      if (count === maxBatchRecords || (count > 0 && bytes + next.bytes > maxBatchBytes)) break;
      bytes += next.bytes;
      count += 1;
    }
    this.#bytes -= bytes;
    return this.#records.splice(0, count).map(({ record }) => record);
  }

  clear(): void {
    this.#records = [];
    this.#bytes = 0;
  }

  #sized(record: LogRecord): Sized {
    const bytes = recordBytes(record);
    this.#bytes += bytes;
    return { record, bytes };
  }
}
