import type { Difference } from '@residency/reconciliation';

/** The saved state of a pass over one site. */
export interface SavedPass {
  /** Wall clock, milliseconds. */
  readonly began: number;
  /** The run with which it began. */
  readonly run: number;
  readonly checked: number;
  /** By partition of the intake log: all objects up to this offset were checked. */
  readonly upTo: Readonly<Record<string, string>>;
  /** The differences in those objects, by code. */
  readonly byCode: Readonly<Record<string, number>>;
}

interface Entry {
  readonly offset: bigint;
  /** Absent: not compared yet. */
  found?: readonly Difference[];
}

/**
 * Objects of one partition that are being read, oldest first, and later ones that are already
 * compared.
 */
interface Lane {
  readonly entries: Entry[];
  first: number;
}

/**
 * The writers of the audit log choose partitions' names, and a log has at most 10,000. Objects of
 * further ones are read again after a restart.
 */
const MAX_PARTITIONS = 10_000;
const COMPACT_FROM = 1_024;

/**
 * A pass over the objects of one site that may be interrupted at any moment. It resumes after the
 * objects that were checked without a gap.
 */
export class SitePass {
  readonly began: number;
  readonly run: number;
  #checked: number;
  readonly #upTo: Map<string, bigint>;
  readonly #byCode: Map<string, number>;
  #lanes = new Map<string, Lane>();

  constructor({ began, run, checked, upTo, byCode }: SavedPass) {
    this.began = began;
    this.run = run;
    this.#checked = checked;
    this.#upTo = new Map(
      Object.entries(upTo).map(([partition, offset]) => [partition, BigInt(offset)]),
    );
    this.#byCode = new Map(Object.entries(byCode));
  }

  static begin(began: number, run: number): SitePass {
    return new SitePass({ began, run, checked: 0, upTo: {}, byCode: {} });
  }

  /** The number of objects checked without a gap. */
  get checked(): number {
    return this.#checked;
  }

  isChecked(partition: string, offset: bigint): boolean {
    return offset <= (this.#upTo.get(partition) ?? -1n);
  }

  /**
   * Call in the order of offsets within a partition. Pass the differences to the returned function;
   * it ignores them after `interrupted`.
   */
  begins(partition: string, offset: bigint): (found: readonly Difference[]) => void {
    const lanes = this.#lanes;
    const lane = lanes.get(partition) ?? { entries: [], first: 0 };
    const entry: Entry = { offset };
    lane.entries.push(entry);
    lanes.set(partition, lane);
    return (found) => {
      entry.found = found;
      if (lanes === this.#lanes) this.#advance(partition, lane);
    };
  }

  /** Objects that are not compared yet are read again. Comparisons that still run are ignored. */
  interrupted(): void {
    this.#lanes = new Map();
  }

  save(): SavedPass {
    return {
      began: this.began,
      run: this.run,
      checked: this.#checked,
      upTo: Object.fromEntries(
        [...this.#upTo].map(([partition, offset]) => [partition, String(offset)]),
      ),
      byCode: Object.fromEntries(this.#byCode),
    };
  }

  #advance(partition: string, lane: Lane): void {
    const { entries } = lane;
    for (let entry = entries[lane.first]; entry?.found !== undefined; entry = entries[lane.first]) {
      if (this.#upTo.has(partition) || this.#upTo.size < MAX_PARTITIONS)
        this.#upTo.set(partition, entry.offset);
      this.#checked += 1;
      for (const { code } of entry.found) this.#byCode.set(code, (this.#byCode.get(code) ?? 0) + 1);
      lane.first += 1;
    }
    if (lane.first < COMPACT_FROM && lane.first < entries.length) return;
    entries.splice(0, lane.first);
    lane.first = 0;
  }
}
