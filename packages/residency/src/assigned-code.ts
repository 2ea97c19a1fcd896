import { COUNTRIES } from './countries.ts';

// ASCII only, no `i` flag: publishers control this text, and full case folding would let other letters in
// (Turkish dotless i, Kelvin sign, ligatures).
const TWO_LETTERS = /^[A-Za-z]{2}$/;

/** Is `code` an assigned ISO 3166-1 alpha-2 code or `XK`, in upper case? */
export function isAssigned(code: string): boolean {
  return COUNTRIES.has(code);
}

/** The two letters that `text` is in either case, in upper case; `undefined` for everything else. */
export function twoLetterCode(text: string): string | undefined {
  return TWO_LETTERS.test(text) ? text.toUpperCase() : undefined;
}
