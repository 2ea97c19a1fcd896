import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Deployment } from '../../running-deployment/deployment.ts';
import type { OwnStack, TestSite } from '../../stack/index.ts';

/** What begins with the key of a sample, or of a set-aside object. */
const REMAINDERS = [
  /^samples\/[0-9a-f]{2}\/[0-9a-f]{2}\/([0-9a-f]{64})-[0-9a-f-]{36}$/,
  /^damaged\/([0-9a-f]{64})\/[0-9a-f]{64}-[0-9a-f-]{36}$/,
];

/** An object that an S3 server left under a name of its own when it was killed while it wrote. */
export interface Remainder {
  readonly site: TestSite;
  readonly key: string;
  readonly submission: string;
}

/** Of what `residency reconcile --json` names. */
export function remaindersIn(lines: readonly Record<string, unknown>[]): readonly Remainder[] {
  return lines.flatMap(({ code, site, key }) => {
    if (code !== 'FOREIGN_OBJECT') return [];
    const submission = REMAINDERS.map((one) => one.exec(String(key))?.[1]).find(Boolean);
    return submission === undefined
      ? []
      : [{ site: site as TestSite, key: String(key), submission }];
  });
}

/** As the person does who reads the finding. */
export async function removeRemainder(
  { folder }: OwnStack,
  { buckets }: Deployment,
  { site, key }: Remainder,
): Promise<void> {
  await rm(join(folder, site, buckets[site], key));
}
