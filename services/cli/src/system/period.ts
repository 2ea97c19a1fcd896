import type { Period } from '@residency/auditing';
import { defined } from '@residency/defined';
import { usage } from '../terminal/cli-error.ts';

export function periodOf({ from, to }: Period): Period {
  if (from !== undefined && to !== undefined && from >= to)
    throw usage('Expected --from before --to, found it at or behind it.');
  return defined({ from, to });
}
