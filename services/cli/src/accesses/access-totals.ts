import { bytesText, table } from '../terminal/table.ts';
import type { AccessRow } from './access-rows.ts';

interface Total {
  readonly purpose: string;
  readonly principal: string;
  count: number;
  bytes: number;
}

/** What each principal had, by purpose. */
export class AccessTotals {
  readonly #totals = new Map<string, Total>();

  add({ state, purpose = '', principal, bytes = 0 }: AccessRow): void {
    if (state !== 'accessed') return;
    const key = `${purpose} ${principal}`;
    const total = this.#totals.get(key) ?? { purpose, principal, count: 0, bytes: 0 };
    this.#totals.set(key, total);
    total.count += 1;
    total.bytes += bytes;
  }

  /** Empty: nobody had a sample. */
  lines(): readonly string[] {
    const rows = [...this.#totals.values()]
      .toSorted((a, b) => compare(a.purpose, b.purpose) || compare(a.principal, b.principal))
      .map(({ purpose, principal, count, bytes }) => [purpose, principal, count, bytesText(bytes)]);
    return rows.length === 0 ? [] : table(['purpose', 'principal', 'accesses', 'bytes'], rows);
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
