/** One mistake in the configuration. Neither part contains a secret. */
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
 * A value from outside in the form that a message may repeat: one line of bounded length, without
 * the part before an `@`, which may hold a user and a password.
 */
export function shown(value: string): string {
  const open = value.includes('@') ? `***${value.slice(value.lastIndexOf('@'))}` : value;
  const line = open.replaceAll(/[\p{C}\p{Zl}\p{Zp}]/gu, '?');
  return JSON.stringify(line.length > MOST_SHOWN ? `${line.slice(0, MOST_SHOWN)}...` : line);
}
