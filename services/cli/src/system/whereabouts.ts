/** Where a stored sample is, by the logs. */
export interface Whereabouts {
  /** Sites with a copy, without those that are retired. */
  readonly sites: readonly string[];
  /** Sites in service that have no copy yet. */
  readonly owed: readonly string[];
}

/** `zrh-1 zrh-2`, or `zrh-1, owed: zrh-2`. */
export function whereaboutsText({ sites, owed }: Whereabouts): string {
  return `${sites.join(' ')}${owed.length === 0 ? '' : `, owed: ${owed.join(' ')}`}`;
}
