import { cp, mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Deployment } from '../../running-deployment/deployment.ts';
import type { OwnStack } from '../../stack/index.ts';
import { TEST_SITES } from '../../stack/index.ts';
import { readTopic } from '../cluster/kcat.ts';

const TOPICS = [
  'residency.audit',
  'residency.control',
  'residency.custody.zurich',
  'threat.samples',
  'threat.samples.quarantine',
];

/** Copies what the judgement saw, for whoever looks for the cause. Returns the folder. */
export async function keepRun(
  { kafka, folder }: OwnStack,
  deployment: Deployment,
  name: string,
  findings: readonly string[],
): Promise<string> {
  const { env, buckets } = deployment;
  const kept = await mkdtemp(join(tmpdir(), `residency-site-lost-${name}-`));
  await writeFile(join(kept, 'findings.txt'), findings.join('\n'));
  await writeFile(join(kept, 'services.txt'), deployment.said());
  for (const topic of TOPICS) {
    const rows = await readTopic(kafka.brokers, `${env['RESIDENCY_TOPIC_PREFIX'] ?? ''}${topic}`);
    await writeFile(
      join(kept, `${topic}.ndjson`),
      rows
        .map(({ partition, offset, at, headers, value }) => {
          const isSample = topic === 'threat.samples';
          const about = isSample
            ? Object.fromEntries([...headers].map(([key, header]) => [key, String(header)]))
            : (JSON.parse(String(value)) as unknown);
          return `${JSON.stringify({ partition, offset, at: new Date(at).toISOString(), about })}\n`;
        })
        .join(''),
    );
  }
  for (const site of TEST_SITES)
    await cp(join(folder, site, buckets[site]), join(kept, site), { recursive: true });
  return kept;
}
