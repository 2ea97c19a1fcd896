import { COUNTRIES } from './countries.ts';

// ASCII only, no `i` flag: publishers control this text, and full case folding would accept other
// letters (Turkish dotless i, Kelvin sign, ligatures).
const TWO_LETTERS = /^[A-Za-z]{2}$/;

/** True if `code` is an assigned ISO 3166-1 alpha-2 code or `XK`, in upper case. */
export function isAssigned(code: string): boolean {
  return COUNTRIES.has(code);
}

/** `text` in upper case if it consists of two letters in either case; `undefined` otherwise. */
export function twoLetterCode(text: string): string | undefined {
  return TWO_LETTERS.test(text) ? text.toUpperCase() : undefined;
}
