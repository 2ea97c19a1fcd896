import type { Placeable } from './judge.ts';
import type { RecordResult } from './record-result.ts';

/** The sites in which a result has an object. */
export function placedIn({ data }: RecordResult): readonly string[] {
  return 'placements' in data ? (data.placements ?? []).map(({ site }) => site) : [];
}

/**
 * The result with these sites owed instead of placed. `undefined`: too few others have the sample,
 * or the result is not `stored`.
 */
export function oweAlso(
  result: RecordResult,
  sites: readonly string[],
  { sites: all, settleWith }: Pick<Placeable, 'sites' | 'settleWith'>,
): RecordResult | undefined {
  if (result.outcome !== 'stored') return undefined;
  const placements = result.data.placements.filter(({ site }) => !sites.includes(site));
  if (placements.length < settleWith) return undefined;
  const owed = all.filter(
    (site) => sites.includes(site) || (result.data.owed ?? []).includes(site),
  );
  return { outcome: 'stored', data: { ...result.data, placements, owed } };
}
