import { readdir } from 'node:fs/promises';
import type { PublicKey } from '@residency/adapter-filesystem';
import { hasCode } from '@residency/coded-error';
import { ok, wrong } from '@residency/observation';
import type { CheckResult } from '@residency/observation';
import { counted } from '../terminal/table.ts';

/** A result for each region. */
export function judgeKeys(
  regions: readonly string[],
  newest: (region: string) => PublicKey | undefined,
): readonly CheckResult[] {
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

/** Private keys are noted. They are right on machines that create keys or open samples. */
export async function judgePrivateKeys(directory: string): Promise<CheckResult> {
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
