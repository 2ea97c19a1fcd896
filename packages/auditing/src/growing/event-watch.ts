import { TOPICS, decodeAuditEvent, formatPosition } from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import type { AuditRecord } from '../audit-record.ts';
import { EventChain } from '../event-chain.ts';
import type { RegionIndex } from '../ports/region-index.ts';
import type { Finding } from './finding.ts';

export interface WatchTerms {
  readonly log: string;
  readonly partition: number;
  /** Of the whole audit log: one identity's events may stand in several partitions. */
  readonly regions: RegionIndex;
  readonly found: (finding: Finding) => void;
}

/** Looks at each leaf of a partition once, however often growing begins anew: a fault of the store must not count one finding twice. */
export class EventWatch {
  readonly #terms: WatchTerms;
  #chain = new EventChain({ fromStart: true });
  /** The next leaf to look at; `undefined`: not begun. */
  #next: number | undefined;

  constructor(terms: WatchTerms) {
    this.#terms = terms;
  }

  /** Tells where the ledger stands: `tail` are its last leaves, `size` of them and before. */
  begin(tail: readonly Uint8Array[], size: number): void {
    if (this.#next !== undefined && this.#next >= size) return;
    this.#chain = new EventChain({ fromStart: tail.length === size });
    for (const leaf of tail) {
      const event = decode(leaf);
      if (event !== undefined) this.#chain.follow(event);
    }
    this.#next = size;
  }

  follow(record: AuditRecord, leaf: number): void {
    if (leaf < (this.#next ?? 0)) return;
    this.#next = leaf + 1;
    const event = record.value === null ? undefined : decode(record.value);
    if (event === undefined) {
      const { log, partition } = this.#terms;
      this.#terms.found({
        kind: 'UNDECODABLE',
        leaf,
        position: formatPosition({ log, topic: TOPICS.audit, partition, offset: record.offset }),
      });
      return;
    }
    for (const kind of this.#faults(event)) {
      this.#terms.found({
        kind,
        leaf,
        position: formatPosition(event.position),
        ...(event.data.submission === undefined ? {} : { submission: event.data.submission }),
      });
    }
  }

  *#faults(event: AuditEvent): Generator<Finding['kind']> {
    const { log, partition, regions } = this.#terms;
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

function decode(bytes: Uint8Array): AuditEvent | undefined {
  try {
    return decodeAuditEvent(bytes);
  } catch {
    // Whoever may write to the audit log controls it.
    return undefined;
  }
}
