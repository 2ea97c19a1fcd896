import type { IntakeRow } from '../on-disk.ts';

/**
 * When records were settled, from looks at the committed positions. A look says that a record is
 * settled by then, so every time from here is an upper bound.
 */
export class SettlementTimes {
  readonly #looks = new Map<number, { readonly at: number; readonly next: bigint }[]>();

  /** `now`: wall clock, milliseconds. */
  look(committed: ReadonlyMap<number, bigint>, now: number): void {
    for (const [partition, next] of committed) {
      const looks = this.#looks.get(partition) ?? [];
      this.#looks.set(partition, looks);
      if (looks.at(-1)?.next !== next) looks.push({ at: now, next });
    }
  }

  /** From each record's append time to the first look that found it settled; others are left out. */
  waits(rows: readonly Pick<IntakeRow, 'partition' | 'offset' | 'at'>[]): readonly number[] {
    return rows.flatMap(({ partition, offset, at }) => {
      const looks = this.#looks.get(partition) ?? [];
      let [low, high] = [0, looks.length];
      while (low < high) {
        const middle = (low + high) >>> 1;
        if ((looks[middle]?.next ?? 0n) > BigInt(offset)) high = middle;
        else low = middle + 1;
      }
      const found = looks[low];
      return found === undefined ? [] : [found.at - at];
    });
  }
}
