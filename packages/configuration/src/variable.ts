import { z } from 'zod';
import type { Section } from './section.ts';

/** One environment variable. */
export interface Variable<T = unknown> {
  /** The sections that it belongs to. */
  readonly sections: readonly Section[];
  readonly description: string;
  /** Completes "expected ...". */
  readonly expected: string;
  readonly schema: z.ZodType<T, string>;
  /** Present: its value is never shown. */
  readonly secret?: true;
  readonly required?: true;
  /** The default, as an operator would write it. */
  readonly default?: string;
  /** For the reference: the behaviour if the variable is absent and has no default. */
  readonly absent?: string;
}

/** Keeps the schema's type. */
export function variable<T>(of: Variable<T>): Variable<T> {
  return of;
}

type Written = Pick<
  Variable,
  'sections' | 'description' | 'secret' | 'required' | 'default' | 'absent'
>;

export function whole(least: number, most: number, rest: Written): Variable<number> {
  const schema = z
    .string()
    .regex(/^\d{1,15}$/)
    .transform(Number)
    .pipe(z.number().min(least).max(most));
  return { ...rest, expected: `a whole number from ${least} to ${most}`, schema };
}

export function choice<const T extends readonly [string, ...string[]]>(
  choices: T,
  rest: Written,
): Variable<T[number]> {
  return { ...rest, expected: choices.join(' or '), schema: z.enum(choices) };
}

export function matching(pattern: RegExp, expected: string, rest: Written): Variable<string> {
  return { ...rest, expected, schema: z.string().regex(pattern) };
}

/** The path of a file or folder. Whether it exists is checked when it is read. */
export function path(rest: Written): Variable<string> {
  return matching(/^[^\0]{1,4096}$/, 'a path', rest);
}

export function secret(rest: Omit<Written, 'secret'>): Variable<string> {
  return { ...matching(/^[^\0\r\n]{1,4096}$/, 'a secret of one line', rest), secret: true };
}
