import { grouped } from '../table.ts';

/** A length of time as a person says it. */
export function secondsText(milliseconds: number): string {
  const seconds = milliseconds / 1_000;
  if (seconds < 120) return `${grouped(seconds)} s`;
  if (seconds < 7_200) return `${grouped(Math.round(seconds / 60))} min`;
  return seconds < 172_800
    ? `${grouped(Math.round(seconds / 3_600))} h`
    : `${grouped(Math.round(seconds / 86_400))} d`;
}
