import type { Period } from '@residency/auditing';
import { defined } from '@residency/defined';
import { usage } from '../terminal/cli-error.ts';

export function periodOf({ from, to }: Period): Period {
  requireBefore(['--from', from], ['--to', to]);
  return defined({ from, to });
}

type Bound = readonly [option: string, at: number | undefined];

/** Throws `USAGE`. */
export function requireBefore([first, from]: Bound, [last, to]: Bound): void {
  if (from !== undefined && to !== undefined && from >= to)
    throw usage(`Expected ${first} before ${last}, found it at or behind it.`);
}
