import { readFileSync } from 'node:fs';
import { readPolicy } from '@residency/contracts';

/** The policy that a new log begins with, and its digest. */
export const SHIPPED_POLICY = readPolicy(
  readFileSync(new URL('../../../policy/residency-1.json', import.meta.url)),
);
