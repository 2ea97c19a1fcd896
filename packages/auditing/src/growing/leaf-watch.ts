import { formatPosition } from '@residency/contracts';
import type { TopicPartition } from '@residency/contracts';
import { defined } from '@residency/defined';
import type { AuditRecord } from '../audit-record.ts';
import { kindOf } from '../logs/kind-of.ts';
import type { LeafCheck } from '../logs/log-kind.ts';
import type { RegionIndex } from '../ports/region-index.ts';
import type { AuditAnomaly } from './audit-anomaly.ts';

export interface LeafWatchOptions {
  readonly log: string;
  readonly of: TopicPartition;
  /**
   * The regions of the whole audit log, because the events of one identity may be in several
   * partitions. Custody logs do not need it.
   */
  readonly regions?: RegionIndex;
  readonly onAnomaly: (anomaly: AuditAnomaly) => void;
}

/**
 * Checks each leaf of a log once, even if growing starts again: a fault of the store must not count
 * a finding twice.
 */
export class LeafWatch {
  readonly #options: LeafWatchOptions;
  #check: LeafCheck;
  /** The next leaf to check; `undefined`: not begun. */
  #next: number | undefined;

  constructor(options: LeafWatchOptions) {
    this.#options = options;
    this.#check = this.#begun(true);
  }

  /** Sets the start: `tail` are the ledger's last leaves, `size` is the number of all leaves. */
  begin(tail: readonly Uint8Array[], size: number): void {
    if (this.#next !== undefined && this.#next >= size) return;
    this.#check = this.#begun(tail.length === size);
    for (const leaf of tail) this.#check.follow(leaf);
    this.#next = size;
  }

  follow(record: AuditRecord, leaf: number): void {
    if (leaf < (this.#next ?? 0)) return;
    this.#next = leaf + 1;
    const { log, of, onAnomaly } = this.#options;
    const place = formatPosition({ log, ...of, offset: record.offset });
    const checked = this.#check.follow(record.value);
    if (checked === undefined) {
      onAnomaly({ kind: 'UNDECODABLE', leaf, position: place });
      return;
    }
    const { faults, position = place, submission } = checked;
    for (const kind of faults) onAnomaly({ kind, leaf, position, ...defined({ submission }) });
  }

  #begun(fromStart: boolean): LeafCheck {
    const { log, of, regions } = this.#options;
    return kindOf(of.topic).check({ fromStart, within: { log, ...of }, ...defined({ regions }) });
  }
}
