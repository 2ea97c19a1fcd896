/** One thing that is wrong. Neither part holds a secret. */
export interface Mistake {
  /** The variable to correct, or the one that names the file to correct. */
  readonly variable: string;
  readonly expected: string;
  readonly found: string;
}

export function mistakeLine({ variable, expected, found }: Mistake): string {
  return `${variable}: expected ${expected}, found ${found}.`;
}

const MOST_SHOWN = 80;

/**
 * A value from outside as a message may repeat it: one line, not endless, and nothing that stands before an `@`, because
 * a user and a password may.
 */
export function shown(value: string): string {
  const open = value.includes('@') ? `***${value.slice(value.lastIndexOf('@'))}` : value;
  const line = open.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
  return JSON.stringify(line.length > MOST_SHOWN ? `${line.slice(0, MOST_SHOWN)}...` : line);
}
