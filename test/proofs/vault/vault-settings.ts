import { createHash } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { custodyTopic } from '@residency/contracts';
import type { Deployment } from '../../running-deployment/deployment.ts';

export const TOPIC = custodyTopic('zurich');
/** Purposes: an access lives for an hour, or for a minute. */
export const [ANALYSIS, BRIEF] = ['analysis', 'brief'] as const;

/** What a deployment's custodians need to give samples of Zurich out. */
export interface VaultSettings {
  readonly env: Readonly<Record<string, string>>;
  /** Of the ledger over Zurich's custody log, as `residency audit key show` prints it. */
  readonly verifierKey: string;
}

/** Makes the vault's folder: `ana`, who has this token, may have everything, as it is or as CaRT. */
export async function makeVault(deployment: Deployment, token: string): Promise<VaultSettings> {
  const folder = join(deployment.folder, 'vault');
  const verifierKey = keyOf((await deployment.residency('audit', 'key', 'show', '--json')).stdout);
  await mkdir(folder);
  const analysis = {
    id: ANALYSIS,
    principals: ['ana'],
    forms: ['raw', 'cart'],
    lifetimeSeconds: 3_600,
    daily: { count: 100_000, bytes: 1_000_000_000, searches: 1_000, results: 100_000 },
  };
  // The shortest lifetime: an erasure waits until it is over.
  const brief = { ...analysis, id: BRIEF, lifetimeSeconds: 60 };
  const sha256 = createHash('sha256').update(token).digest('hex');
  for (const [name, text] of [
    ['purposes.json', JSON.stringify({ purposes: [analysis, brief] })],
    ['tokens.json', JSON.stringify([{ sha256, principal: 'ana' }])],
    ['reference-key', `${'5'.repeat(64)}\n`],
    ['ledger-keys', `${verifierKey}\n`],
  ] as const)
    await writeFile(join(folder, name), text);
  return {
    verifierKey,
    env: {
      RESIDENCY_CUSTODIAN_REGION: 'zurich',
      RESIDENCY_VAULT_DIR: folder,
      RESIDENCY_KEYS_DIR: join(deployment.folder, 'keys'),
      RESIDENCY_SESSION_TIMEOUT_MS: '6000',
    },
  };
}

function keyOf(output: string): string {
  const lines = output.trim().split('\n');
  const found = lines.map((line) => JSON.parse(line) as { topic: string; key: string });
  return found.find(({ topic }) => topic === TOPIC)?.key ?? '';
}
