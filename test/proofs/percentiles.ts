/** Median, 90 % and longest of milliseconds, in seconds. */
export function percentiles(milliseconds: readonly number[]): string {
  return [0.5, 0.9, 1].map((share) => seconds(quantile(milliseconds, share))).join(' / ');
}

/** The value below which this share of them is; `NaN`: there are none. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

/** Of milliseconds, with one digit. */
export function seconds(milliseconds: number): string {
  return (milliseconds / 1_000).toFixed(1);
}
