/** Where a stored sample is, by the logs. */
export interface Whereabouts {
  /** Sites with a copy, without those that are retired. */
  readonly sites: readonly string[];
  /** Sites in service that have no copy yet. */
  readonly owed: readonly string[];
  /** Absent: it was not erased. `sites` are then those where it was not erased yet. */
  readonly erased?: ErasedNow;
  /** Absent: it was not given up, or was erased since. */
  readonly lost?: LostNow;
}

export interface LostNow {
  /** The order by which it was given up, and when the custodian recorded that (RFC 3339). */
  readonly order: string;
  readonly at: string;
}

export interface ErasedNow {
  /** The order by which it was erased first, and when the custodian recorded that (RFC 3339). */
  readonly order: string;
  readonly at: string;
  /** Sites with a tombstone. */
  readonly sites: readonly string[];
}

/**
 * `zrh-1 zrh-2`, or `zrh-1, owed: zrh-2`, or `lost 2026-01-01T00:00:00.000Z, order ID`, or `erased 2026-01-01T00:00:00.000Z, order ID`, if a site is
 * left with `, still in: zrh-2`.
 */
export function whereaboutsText({ sites, owed, erased, lost }: Whereabouts): string {
  if (lost !== undefined) return `lost ${lost.at}, order ${lost.order}`;
  if (erased !== undefined)
    return `erased ${erased.at}, order ${erased.order}${sites.length === 0 ? '' : `, still in: ${sites.join(' ')}`}`;
  return `${sites.join(' ')}${owed.length === 0 ? '' : `, owed: ${owed.join(' ')}`}`;
}
