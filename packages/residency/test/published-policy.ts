import { readFileSync } from 'node:fs';
import type { PolicyDocument, PolicyVersion } from '../src/policy.ts';

export const ROOT = new URL('../../../', import.meta.url);

const document: PolicyDocument = JSON.parse(
  readFileSync(new URL('policy/residency-1.json', ROOT), 'utf8'),
);
/**
 * policy/residency-1.json as it is on disk; the digest stands for itself, nothing here checks it.
 */
export const PUBLISHED: PolicyVersion = {
  document,
  digest: '1'.repeat(64),
};
