import { readFile } from 'node:fs/promises';
import { readPolicy } from '@residency/contracts';
import { FIRST_POLICY } from '@residency/standalone';
import { expect, it } from 'vitest';
import { firstPolicy } from '../src/system/first-policy.ts';

it('the first policy is what the validator makes of the reviewed file', async () => {
  expect(await firstPolicy(() => 17)).toEqual({
    ...readPolicy(await readFile(FIRST_POLICY)),
    appendedAt: 17,
  });
});
