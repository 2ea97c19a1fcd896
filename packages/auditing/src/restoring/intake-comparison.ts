import { differenceOf } from '@residency/contracts';
import type { AuditEvent, LogRecord } from '@residency/contracts';
import { AuditingError } from '../auditing-error.ts';
import type { AuditReading } from '../ports/log-restorers.ts';

/**
 * Compares missing events, in the order of their records, with the intake records at their
 * positions. A record that is not there proves nothing: its retention may be over.
 */
export class IntakeComparison {
  readonly #log: AuditReading;
  #records: AsyncIterator<LogRecord> | undefined;
  #next: LogRecord | undefined;
  /** The largest offset that an event is about. */
  #last: bigint | undefined;

  constructor(log: AuditReading) {
    this.#log = log;
  }

  /** Throws `INTAKE_DIFFERS` if another record is at the event's position. */
  async compare({ position: { offset } }: AuditEvent, entry: Uint8Array): Promise<void> {
    if (this.#last !== undefined && offset <= this.#last) return;
    if (this.#records === undefined) {
      this.#records = this.#log.intake(offset)[Symbol.asyncIterator]();
      await this.#advance();
    }
    while (this.#next !== undefined && this.#next.offset < offset) await this.#advance();
    this.#last = offset;
    const difference = this.#next?.offset === offset ? differenceOf(entry, this.#next) : undefined;
    if (difference === undefined) return;
    await this.#records.return?.();
    throw new AuditingError({
      code: 'INTAKE_DIFFERS',
      remedy: 'stop',
      message: `Expected the intake record at offset ${offset} of partition ${this.#log.of.partition} to be the one that the ledger has an event about, found one that is ${difference}; nothing was appended. It was accepted after the log was put back, and would count as settled without being routed. Keep a copy of this log; docs/how-to/restore-the-audit-log.md says how to go on.`,
    });
  }

  /** Throws `INTAKE_SHORTER` if an event is about a record beyond the intake log's end. */
  async end(): Promise<void> {
    await this.#records?.return?.();
    const last = this.#last;
    const end = last === undefined ? undefined : await this.#log.intakeEnd();
    if (last === undefined || end === undefined || last < end) return;
    throw new AuditingError({
      code: 'INTAKE_SHORTER',
      remedy: 'stop',
      message: `Expected partition ${this.#log.of.partition} of the intake log to reach beyond offset ${last}, the largest that the ledger has an event about, found its end at ${end}; nothing was appended. New records would get positions that the ledger has events about. Restore the intake log too, or begin a log with another name.`,
    });
  }

  async #advance(): Promise<void> {
    const result = await this.#records?.next();
    this.#next = result === undefined || result.done === true ? undefined : result.value;
  }
}
