import { readdir } from 'node:fs/promises';
import type { PublicKey } from '@residency/adapter-filesystem';
import { hasCode } from '@residency/coded-error';
import { counted } from '../table.ts';
import { ok, wrong } from './finding.ts';
import type { Finding } from './finding.ts';

/** A line for each region. */
export function judgeKeys(
  regions: readonly string[],
  newest: (region: string) => PublicKey | undefined,
): readonly Finding[] {
  return regions.map((region) => {
    const key = newest(region);
    const check = `key ${region}`;
    return key === undefined
      ? wrong(
          check,
          'none to seal with',
          `Nothing can be stored in ${region}: residency keys add --region ${region}, and give routers its public half.`,
        )
      : ok(check, `${key.id} seals`);
  });
}

/** Worth a line, and right where keys are made and samples opened. */
export async function judgePrivateKeys(directory: string): Promise<Finding> {
  const count = (await filesUnder(directory)).filter((name) =>
    name.endsWith('.private.pem'),
  ).length;
  if (count === 0) return ok('private keys', 'none in the keys folder');
  return ok(
    'private keys',
    `${counted(count, 'private key')} in the keys folder`,
    "Right only where keys are made or samples opened: a router's folder must hold public halves alone.",
  );
}

async function filesUnder(directory: string): Promise<readonly string[]> {
  try {
    return await readdir(directory, { recursive: true });
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return [];
    throw error;
  }
}
