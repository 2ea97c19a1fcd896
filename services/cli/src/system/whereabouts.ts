/** Where a stored sample is, by the logs. */
export interface Whereabouts {
  /** Sites with a copy, without those that are retired. */
  readonly sites: readonly string[];
  /** Sites in service that have no copy yet. */
  readonly owed: readonly string[];
  /** The order by which it was erased in other sites; absent: it was not. */
  readonly erased?: string;
}

/** `zrh-1 zrh-2`, `zrh-1, owed: zrh-2`, `erased`, or `erased, still in: zrh-2`. */
export function whereaboutsText({ sites, owed, erased }: Whereabouts): string {
  if (erased !== undefined)
    return sites.length === 0 ? 'erased' : `erased, still in: ${sites.join(' ')}`;
  return `${sites.join(' ')}${owed.length === 0 ? '' : `, owed: ${owed.join(' ')}`}`;
}
