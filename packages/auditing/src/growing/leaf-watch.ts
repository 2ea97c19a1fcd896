import { formatPosition } from '@residency/contracts';
import type { TopicPartition } from '@residency/contracts';
import { defined } from '@residency/defined';
import { kindOf } from '../logs/kind-of.ts';
import type { LeafCheck } from '../logs/log-kind.ts';
import type { RegionIndex } from '../ports/region-index.ts';
import type { AuditAnomaly } from './audit-anomaly.ts';
import type { SeenInLog } from './leaves-behind.ts';
import type { LogLeaf } from './leaves-of.ts';

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
export class LeafWatch implements SeenInLog {
  readonly #options: LeafWatchOptions;
  #check: LeafCheck;
  /** The next leaf to check; `undefined`: not begun. */
  #next: number | undefined;
  /** True between `begin` and the first new leaf, if the check has no leaf yet. */
  #begins = false;
  readonly #gone = new Set<number>();

  constructor(options: LeafWatchOptions) {
    this.#options = options;
    this.#check = this.#begun(true);
  }

  /** Sets the start: `tail` are the ledger's last leaves, `size` is the number of all leaves. */
  begin(tail: readonly Uint8Array[], size: number): void {
    if (this.#next !== undefined && this.#next >= size) return;
    this.#check = this.#begun(tail.length === size);
    this.#next = size;
    // The log gives those of a compacted log again, with the keys of their records.
    this.#begins = kindOf(this.#options.of.topic).compacted === true;
    if (!this.#begins) for (const leaf of tail) this.#check.follow(leaf);
  }

  there({ bytes, record }: LogLeaf): void {
    if (this.#begins) this.#check.follow(bytes, record?.key);
  }

  gone(offset: bigint, index: number): void {
    if (this.#gone.has(index)) return;
    this.#gone.add(index);
    this.#options.onAnomaly({ kind: 'MISSING', leaf: index, position: this.#placeOf(offset) });
  }

  follow({ bytes, offset, record }: LogLeaf, leaf: number): void {
    this.#begins = false;
    if (record === undefined || leaf < (this.#next ?? 0)) return;
    this.#next = leaf + 1;
    const { onAnomaly } = this.#options;
    const place = this.#placeOf(offset);
    const checked = this.#check.follow(bytes, record.key);
    if (checked === undefined) {
      onAnomaly({ kind: 'UNDECODABLE', leaf, position: place });
      return;
    }
    const { faults, position = place, submission } = checked;
    for (const kind of faults) onAnomaly({ kind, leaf, position, ...defined({ submission }) });
  }

  #placeOf(offset: bigint): string {
    const { log, of } = this.#options;
    return formatPosition({ log, ...of, offset });
  }

  #begun(fromStart: boolean): LeafCheck {
    const { log, of, regions } = this.#options;
    return kindOf(of.topic).check({ fromStart, within: { log, ...of }, ...defined({ regions }) });
  }
}
