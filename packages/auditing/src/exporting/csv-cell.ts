/**
 * A spreadsheet treats a cell with such a beginning as a formula, and outsiders choose some of the
 * values. An apostrophe makes it text.
 */
const FORMULA = /^[=+\-@\t\r]/;

/** A value as a cell of RFC 4180; what is neither a number nor a text is empty. */
export function csvCell(value: unknown): string {
  if (typeof value === 'number') return String(value);
  if (typeof value !== 'string') return '';
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
