import { auditEventIn } from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import { isWithin } from '../audit-record.ts';
import type { AuditRecord, Period } from '../audit-record.ts';
import { ReplayDigest } from '../replaying/replay-digest.ts';

export interface Selected {
  readonly event: AuditEvent;
  readonly bytes: Buffer;
}

/** The events of a period, and the summary of them for the record of their export. */
export class Selection {
  readonly #digest = new ReplayDigest();
  #events = 0;
  #undecodable = 0;

  /** A record that is no event has no T and is in no period. It is counted. */
  async *of(records: AsyncIterable<AuditRecord>, period: Period): AsyncGenerator<Selected> {
    for await (const record of records) {
      const event = auditEventIn(record.value);
      if (event === undefined || record.value === null) {
        this.#undecodable += 1;
        continue;
      }
      if (!isWithin(event.at, period)) continue;
      this.#digest.add(record.partition, record.value);
      this.#events += 1;
      yield { event, bytes: record.value };
    }
  }

  /** The summary of the events so far. The digest equals that of a replay of the period. */
  get summary(): {
    readonly events: number;
    readonly digest: string;
    readonly undecodable: number;
  } {
    return { events: this.#events, digest: this.#digest.digest(), undecodable: this.#undecodable };
  }
}
