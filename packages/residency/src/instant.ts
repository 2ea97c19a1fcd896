/**
 * Milliseconds since 1970-01-01T00:00:00Z, an integer; the unit of append times and of effective
 * dates.
 */
export type Instant = number;

/**
 * The start of every country's first rule: the earliest instant that RFC 3339 can express. It means
 * "always".
 */
export const BEGINNING_OF_TIME = '0000-01-01T00:00:00.000Z';

// RFC 3339 §5.6 date-time, or a bare full-date (midnight UTC). Leap seconds are refused: no append
// time has one.
const RFC3339 =
  /^(\d{4})-(\d{2})-(\d{2})(?:[Tt](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?([Zz]|[+-]\d{2}:\d{2}))?$/;

/**
 * Reads RFC 3339, or a date as 00:00Z; `undefined` for any other text. Fractions beyond a
 * millisecond are truncated.
 */
export function parseInstant(text: string): Instant | undefined {
  const match = RFC3339.exec(text);
  if (!match) return undefined;
  const [, year, month, day, hour = '00', minute = '00', second = '00', fraction = '', zone = 'Z'] =
    match;
  const written = `${year}-${month}-${day}T${hour}:${minute}:${second}.${fraction.padEnd(3, '0').slice(0, 3)}Z`;
  const utc = Date.parse(written);
  // Date.parse turns 31 April into 1 May, so a text that does not print back as it was written is
  // not a valid date.
  if (Number.isNaN(utc) || new Date(utc).toISOString() !== written) return undefined;
  if (/^z$/i.test(zone)) return utc;
  const [offsetHours, offsetMinutes] = [Number(zone.slice(1, 3)), Number(zone.slice(4, 6))];
  if (offsetHours > 23 || offsetMinutes > 59) return undefined;
  const offset = (offsetHours * 60 + offsetMinutes) * 60_000;
  return zone.startsWith('+') ? utc - offset : utc + offset;
}

/** RFC 3339 in UTC with milliseconds. */
export function formatInstant(at: Instant): string {
  return new Date(at).toISOString();
}
