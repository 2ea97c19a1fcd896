import { auditPartition } from '@residency/testkit';
import type { LogRecord } from '@residency/contracts';
import type { AuditRecord, AuditRestorer, RestoredEntry } from '../../src/index.ts';

export type Fault = 'failed' | 'persisted' | 'ok';

/** One partition in memory; each fault is one append's. */
export class MemoryRestorer implements AuditRestorer {
  readonly log = 'log-1';
  readonly of = auditPartition();
  readonly all: AuditRecord[];
  appends = 0;
  /** The committed position. */
  next: bigint | null;
  readonly #faults: Fault[];
  readonly #intakeEnd: bigint | undefined;
  readonly #intake: readonly LogRecord[];

  constructor(
    records: readonly AuditRecord[],
    {
      faults = [],
      intakeEnd,
      intake = [],
      next = records.length === 0 ? null : BigInt(records.length),
    }: {
      readonly faults?: Fault[];
      readonly intakeEnd?: bigint;
      readonly intake?: readonly LogRecord[];
      readonly next?: bigint | null;
    } = {},
  ) {
    this.all = [...records];
    this.next = next;
    this.#faults = faults;
    this.#intakeEnd = intakeEnd;
    this.#intake = intake;
  }

  async *records(): AsyncGenerator<readonly AuditRecord[]> {
    const end = this.all.length;
    for (let from = 0; from < end; from += 100)
      yield await Promise.resolve(this.all.slice(from, Math.min(end, from + 100)));
  }

  committed(): Promise<bigint | null> {
    return Promise.resolve(this.next);
  }

  async *intake(from: bigint): AsyncGenerator<LogRecord> {
    for (const record of this.#intake)
      if (record.offset >= from) yield await Promise.resolve(record);
  }

  intakeEnd(): Promise<bigint | undefined> {
    return Promise.resolve(this.#intakeEnd);
  }

  append(entries: readonly RestoredEntry[], next: bigint | null): Promise<void> {
    this.appends += 1;
    const fault = this.#faults.shift() ?? 'ok';
    if (fault !== 'failed') {
      for (const { value } of entries)
        this.all.push({ partition: 0, offset: BigInt(this.all.length), value });
      this.next = next;
    }
    return fault === 'ok' ? Promise.resolve() : Promise.reject(new Error(fault));
  }
}
