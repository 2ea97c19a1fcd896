import { readFile } from 'node:fs/promises';
import { sha256 } from '@residency/contracts/digest';
import { policyDigest } from '@residency/contracts/policy-digest';
import { readJson } from '@residency/residency';
import type { PolicyDocument, PolicyPublished, PolicyVersion } from '@residency/residency';
import { FIRST_POLICY, FIRST_POLICY_SHA256 } from '@residency/standalone/first-policy';

/** The first policy of a data directory. */
export async function firstPolicy(now: () => number): Promise<PolicyPublished> {
  const bytes = await readFile(FIRST_POLICY);
  return { ...(await versionOf(bytes)), appendedAt: now() };
}

/**
 * A test validates the reviewed file. Other bytes are validated here, which takes longer to load
 * than `where` takes to answer.
 */
async function versionOf(bytes: Buffer): Promise<PolicyVersion> {
  if (sha256(bytes) !== FIRST_POLICY_SHA256)
    return (await import('@residency/contracts/policy-event')).readPolicy(bytes);
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- its bytes are those of the reviewed file
  const document = readJson(bytes) as PolicyDocument;
  return { document, digest: policyDigest(document) };
}
