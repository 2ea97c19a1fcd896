import { grouped } from '../terminal/table.ts';

/** `3.2 s`, `4 min`, `5 h`, `2 d`. */
export function ageText(seconds: number): string {
  if (seconds < 90)
    return `${seconds < 10 ? Math.round(seconds * 10) / 10 : Math.round(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 36 * 60 * 60) return `${Math.round(seconds / 3_600)} h`;
  return `${Math.round(seconds / 86_400)} d`;
}

/** A duration as short as it is read: `0.8 ms`, `120 ms`, `2.5 s`; empty where there is none. */
export function durationText(seconds: number | undefined): string {
  if (seconds === undefined) return '';
  return seconds < 1 ? `${grouped(Math.round(seconds * 10_000) / 10)} ms` : ageText(seconds);
}

/** `0/s`, `0.4/s`, `1,234/s`. */
export function rateText(perSecond: number): string {
  return `${grouped(perSecond < 10 ? Math.round(perSecond * 10) / 10 : Math.round(perSecond))}/s`;
}
