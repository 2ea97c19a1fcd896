import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MUTANTS } from '../src/mutants.ts';

const ROOT = join(import.meta.dirname, '../../..');

// The search of `mutants.search.test.ts` fails too, but only after minutes.
test.each(MUTANTS)('the code still has what the mutant $name replaces', ({ edits }) => {
  for (const { file, from } of edits)
    expect(readFileSync(join(ROOT, file), 'utf8')).toContain(from);
});
