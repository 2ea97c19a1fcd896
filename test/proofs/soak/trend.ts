/** Of values over time by least squares. */
export interface Trend {
  readonly first: number;
  readonly last: number;
  /** In the value's unit, a minute. */
  readonly slope: number;
  /**
   * Of the slope; about twice of it on each side is 95 % of what chance does, if one look does not
   * depend on the one before.
   */
  readonly standardError: number;
}

/** `seconds` of each look; at least three. */
export function trendOf(
  course: readonly { readonly seconds: number; readonly value: number }[],
): Trend {
  const count = course.length;
  const mean = (of: (one: (typeof course)[number]) => number): number =>
    course.reduce((sum, one) => sum + of(one), 0) / count;
  const minutes = (one: { readonly seconds: number }): number => one.seconds / 60;
  const [at, value] = [mean(minutes), mean((one) => one.value)];
  const spread = course.reduce((sum, one) => sum + (minutes(one) - at) ** 2, 0);
  const slope =
    course.reduce((sum, one) => sum + (minutes(one) - at) * (one.value - value), 0) / spread;
  const rest = course.reduce(
    (sum, one) => sum + (one.value - value - slope * (minutes(one) - at)) ** 2,
    0,
  );
  return {
    first: course[0]?.value ?? NaN,
    last: course.at(-1)?.value ?? NaN,
    slope,
    standardError: Math.sqrt(rest / Math.max(1, count - 2) / spread),
  };
}
