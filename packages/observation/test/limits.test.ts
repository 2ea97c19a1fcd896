import { readFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { limitsReference } from '../src/limits-reference.ts';

test('docs/reference/limits.md is what the code says', async () => {
  expect(
    await readFile(new URL('../../../docs/reference/limits.md', import.meta.url), 'utf8'),
  ).toBe(limitsReference());
});
