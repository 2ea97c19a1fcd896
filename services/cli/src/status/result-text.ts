import type { CheckResult } from '@residency/observation';
import { printable } from '../terminal/output.ts';

/** A check's result as a sentence; what others chose in it is made printable. */
export function resultText({ check, found, next }: CheckResult): string {
  return printable(`${check}: ${found}${next === undefined ? '' : `. ${next}`}`);
}
