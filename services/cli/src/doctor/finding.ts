/** One line of a doctor. */
export interface Finding {
  readonly check: string;
  /** `unknown`: it could not be looked at. */
  readonly state: 'ok' | 'wrong' | 'unknown';
  readonly found: string;
  /** What to do, where `found` does not say so itself. */
  readonly next?: string;
  /** Of the error behind it. */
  readonly code?: string;
}

export function ok(check: string, found: string, next?: string): Finding {
  return { check, state: 'ok', found, ...(next === undefined ? {} : { next }) };
}

export function wrong(check: string, found: string, next?: string): Finding {
  return { check, state: 'wrong', found, ...(next === undefined ? {} : { next }) };
}

export function unknown(check: string, found: string, next?: string): Finding {
  return { check, state: 'unknown', found, ...(next === undefined ? {} : { next }) };
}
