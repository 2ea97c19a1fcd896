/** A length of time as a person says it: `3.2 s`, `4 min`, `5 h`, `2 d`. */
export function secondsText(milliseconds: number): string {
  const seconds = milliseconds / 1_000;
  if (seconds < 120) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 7_200) return `${Math.round(seconds / 60)} min`;
  return seconds < 172_800
    ? `${Math.round(seconds / 3_600)} h`
    : `${Math.round(seconds / 86_400)} d`;
}
