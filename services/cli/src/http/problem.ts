import { tryReadJson } from '@residency/residency';
import { printable } from '../terminal/output.ts';
import { isObject } from './json-object.ts';
import { textOf } from './text-of.ts';

/** What a service says of a request that it does not answer (RFC 9457). Others may write it too. */
export interface HttpProblem {
  /** Absent: the answer is another's, such as a proxy's. */
  readonly code?: string;
  /** The code in brackets, or nothing. */
  readonly why: string;
  /** Fit for a terminal. */
  readonly detail: string;
}

export async function problemOf(response: Response): Promise<HttpProblem> {
  const problem = tryReadJson(await textOf(response));
  const { code, detail: text }: Record<string, unknown> = isObject(problem) ? problem : {};
  const detail =
    typeof text === 'string' && text !== '' ? printable(text) : 'no reason that could be read.';
  return typeof code === 'string' && /^[A-Z][A-Z_]{0,63}$/.test(code)
    ? { detail, code, why: ` (${code})` }
    : { detail, why: '' };
}
