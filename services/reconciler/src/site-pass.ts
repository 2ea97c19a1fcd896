import type { Difference } from '@residency/reconciliation';

/** What is kept of a pass over one site. */
export interface SavedPass {
  /** Wall clock, milliseconds. */
  readonly began: number;
  /** The run it began with. */
  readonly run: number;
  readonly checked: number;
  /** By partition of the intake log: everything up to this offset was checked. */
  readonly upTo: Readonly<Record<string, string>>;
  /** Differences found in that, by code. */
  readonly byCode: Readonly<Record<string, number>>;
}

interface Entry {
  readonly offset: bigint;
  /** Absent: not compared yet. */
  found?: readonly Difference[];
}

/** Objects of one partition that are read, oldest first, and those behind an unfinished one. */
interface Lane {
  readonly entries: Entry[];
  first: number;
}

/** Whoever may write to the audit log names partitions; a log has 10,000 at most. Objects of further ones are read again after a restart. */
const MAX_PARTITIONS = 10_000;
const COMPACT_FROM = 1_024;

/** A pass over the objects of one site that may be interrupted at any moment: it goes on behind what was checked without a gap. */
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

  /** Objects checked without a gap. */
  get checked(): number {
    return this.#checked;
  }

  isChecked(partition: string, offset: bigint): boolean {
    return offset <= (this.#upTo.get(partition) ?? -1n);
  }

  /** In the order of offsets within a partition. What it returns takes what was found, in any order, and only as long as `interrupted` was not called. */
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

  /** What was not compared by now will be read again; who still compares it is not listened to. */
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
