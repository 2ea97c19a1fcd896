import { canonicalJson } from '@residency/residency';
import type { PolicyDocument } from '@residency/residency';
import { sha256 } from './digest.ts';

/** The SHA-256 of the RFC 8785 form, lower-case hex. */
export function policyDigest(document: PolicyDocument): string {
  return sha256(Buffer.from(canonicalJson(document), 'utf8'));
}
