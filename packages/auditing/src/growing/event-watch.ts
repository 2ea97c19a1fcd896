import { TOPICS, auditEventIn, formatPosition } from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import { defined } from '@residency/defined';
import type { AuditRecord } from '../audit-record.ts';
import { EventChain } from '../event-chain.ts';
import type { RegionIndex } from '../ports/region-index.ts';
import type { AuditAnomaly } from './audit-anomaly.ts';

export interface EventWatchOptions {
  readonly log: string;
  readonly partition: number;
  /**
   * The regions of the whole audit log, because the events of one identity may be in several
   * partitions.
   */
  readonly regions: RegionIndex;
  readonly onAnomaly: (anomaly: AuditAnomaly) => void;
}

/**
 * Checks each leaf of a partition once, even if growing starts again: a fault of the store must not
 * count a finding twice.
 */
export class EventWatch {
  readonly #options: EventWatchOptions;
  #chain = new EventChain({ fromStart: true });
  /** The next leaf to check; `undefined`: not begun. */
  #next: number | undefined;

  constructor(options: EventWatchOptions) {
    this.#options = options;
  }

  /** Sets the start: `tail` are the ledger's last leaves, `size` is the number of all leaves. */
  begin(tail: readonly Uint8Array[], size: number): void {
    if (this.#next !== undefined && this.#next >= size) return;
    this.#chain = new EventChain({ fromStart: tail.length === size });
    for (const leaf of tail) {
      const event = auditEventIn(leaf);
      if (event !== undefined) this.#chain.follow(event);
    }
    this.#next = size;
  }

  follow(record: AuditRecord, leaf: number): void {
    if (leaf < (this.#next ?? 0)) return;
    this.#next = leaf + 1;
    const event = auditEventIn(record.value);
    if (event === undefined) {
      const { log, partition } = this.#options;
      this.#options.onAnomaly({
        kind: 'UNDECODABLE',
        leaf,
        position: formatPosition({ log, topic: TOPICS.audit, partition, offset: record.offset }),
      });
      return;
    }
    for (const kind of this.#faults(event)) {
      this.#options.onAnomaly({
        kind,
        leaf,
        position: formatPosition(event.position),
        ...defined({ submission: event.data.submission }),
      });
    }
  }

  *#faults(event: AuditEvent): Generator<AuditAnomaly['kind']> {
    const { log, partition, regions } = this.#options;
    const { position } = event;
    if (
      position.log !== log ||
      position.topic !== TOPICS.samples ||
      position.partition !== partition
    )
      yield 'MISPLACED';
    const fault = this.#chain.follow(event);
    if (fault !== undefined) yield fault;
    if (event.outcome !== 'stored') return;
    const {
      submission,
      decision: { region },
    } = event.data;
    const known = regions.regionOf(submission);
    if (known === undefined) regions.note(submission, region);
    else if (known !== region) yield 'ALSO_IN';
  }
}
