/** Median, 90 % and longest of milliseconds, in seconds. */
export function percentiles(milliseconds: readonly number[]): string {
  const sorted = milliseconds.toSorted((a, b) => a - b);
  const at = (share: number): string =>
    (
      (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN) / 1_000
    ).toFixed(1);
  return `${at(0.5)} / ${at(0.9)} / ${at(1)}`;
}
