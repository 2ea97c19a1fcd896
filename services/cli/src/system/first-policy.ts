import { readFile } from 'node:fs/promises';
import { readPolicy } from '@residency/contracts/policy-event';
import type { PolicyPublished } from '@residency/residency';
import { FIRST_POLICY } from '@residency/standalone/first-policy';

/** The first policy of a data directory. */
export async function firstPolicy(now: () => number): Promise<PolicyPublished> {
  return { ...readPolicy(await readFile(FIRST_POLICY)), appendedAt: now() };
}
