import { auditEventIn, TOPICS, formatPosition } from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import { isWithin } from '../audit-record.ts';
import type { AuditRecord, Period } from '../audit-record.ts';
import { Capped } from '../capped.ts';
import { auditPlace } from '../audit-place.ts';
import { EventChain } from '../event-chain.ts';
import type { ChainFault } from '../event-chain.ts';
import type { ConsentTotals } from './consent-totals.ts';
import { ReplayDigest } from './replay-digest.ts';
import type { PartitionDigest } from './replay-digest.ts';
import { TotalsDraft } from './totals.ts';
import type { Totals } from './totals.ts';

export interface ReplayOptions extends Period {
  /** Receives every event for the totals by consent. */
  readonly consents?: Pick<ConsentTotals, 'add'>;
  /** Receives every event for the totals by site. */
  readonly holdings?: { add(event: AuditEvent): void };
  /** The greatest number of listed faults. All are counted. */
  readonly maxListed?: number;
  readonly onProgress?: (records: number) => void;
}

export interface ReplayFault {
  readonly code: ChainFault | 'UNDECODABLE' | 'MISPLACED';
  /** The position of the intake record. If the record is not an event: of the audit record. */
  readonly position: string;
}

export interface Replay extends Totals {
  readonly events: number;
  /** The digest over all events of all partitions (docs/formats/audit-event.md "Replay digest"). */
  readonly digest: string;
  readonly partitions: readonly PartitionDigest[];
  /** The first and the last T, milliseconds; absent: no event. */
  readonly first?: number;
  readonly last?: number;
  /** The faults that the audit log alone shows. */
  readonly faults: { readonly total: number; readonly list: readonly ReplayFault[] };
}

/**
 * Reads the audit log and counts its events. The result depends on the records alone: each
 * partition's are read in order, partitions in any order. A record that is not an event has no T.
 * It is in no view and always counts as a fault; it is in the digest if no period is given. Memory
 * does not grow with the log.
 */
export async function replay(
  records: AsyncIterable<AuditRecord>,
  options: ReplayOptions = {},
): Promise<Replay> {
  const run = new Run(options);
  let read = 0;
  for await (const record of records) {
    const wait = run.take(record);
    if (wait !== undefined) await wait;
    read += 1;
    if (read % 1_024 === 0) options.onProgress?.(read);
  }
  return run.finish();
}

const NOTHING = Buffer.alloc(0);

class Run {
  readonly #options: ReplayOptions;
  readonly #digest = new ReplayDigest();
  readonly #totals = new TotalsDraft();
  readonly #chain: EventChain;
  readonly #faults: Capped<ReplayFault>;
  #events = 0;
  #first = Infinity;
  #last = -Infinity;

  constructor(options: ReplayOptions) {
    this.#options = options;
    this.#chain = new EventChain({ fromStart: options.from === undefined });
    this.#faults = new Capped(options.maxListed ?? 1_000);
  }

  take(record: AuditRecord): Promise<void> | undefined {
    const event = auditEventIn(record.value);
    if (event === undefined) {
      this.#faults.add({ code: 'UNDECODABLE', position: auditPlace(record) });
      if (this.#options.from === undefined && this.#options.to === undefined)
        this.#digest.add(record.partition, record.value ?? NOTHING);
      return undefined;
    }
    if (!isWithin(event.at, this.#options)) return undefined;
    this.#digest.add(record.partition, record.value ?? NOTHING);
    const { topic, partition } = event.position;
    if (topic !== TOPICS.samples || partition !== record.partition)
      this.#faults.add({ code: 'MISPLACED', position: formatPosition(event.position) });
    const fault = this.#chain.follow(event);
    if (fault !== undefined)
      this.#faults.add({ code: fault, position: formatPosition(event.position) });
    this.#count(event);
    this.#options.holdings?.add(event);
    return this.#options.consents?.add(event);
  }

  finish(): Replay {
    const { total, list } = this.#faults;
    return {
      events: this.#events,
      digest: this.#digest.digest(),
      partitions: this.#digest.partitions(),
      ...(this.#events === 0 ? {} : { first: this.#first, last: this.#last }),
      ...this.#totals.finish(),
      faults: { total, list },
    };
  }

  #count(event: AuditEvent): void {
    this.#events += 1;
    this.#first = Math.min(this.#first, event.at);
    this.#last = Math.max(this.#last, event.at);
    this.#totals.add(event);
  }
}
