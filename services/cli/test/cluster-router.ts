import { readFile } from 'node:fs/promises';
import { KeyDirectory } from '@residency/adapter-filesystem';
import type { KafkaLog } from '@residency/adapter-kafka';
import { S3Sites } from '@residency/adapter-s3';
import type { S3SiteSettings } from '@residency/adapter-s3';
import { SAMPLE_SHARING } from '@residency/consent';
import { DEFAULT_LIMITS, INITIAL_CONTROL, readPolicy } from '@residency/contracts';
import { createRouter } from '@residency/routing';
import { RegionSealer } from '@residency/sealing';
import { FIRST_POLICY } from '@residency/standalone';

/**
 * Routes what waits in the log, with views that are always beyond it: everybody consents to
 * everything, under the first policy.
 */
export async function routeAll(
  log: KafkaLog,
  sites: readonly S3SiteSettings[],
  keys: string,
): Promise<void> {
  const stores = new S3Sites(sites);
  const version = { ...readPolicy(await readFile(FIRST_POLICY)), appendedAt: 0 };
  const given = [{ from: 0, purposes: [SAMPLE_SHARING], termsVersion: '1' }];
  const route = createRouter({
    limits: DEFAULT_LIMITS,
    sealer: new RegionSealer(new KeyDirectory(keys)),
    sites: stores,
    outcomes: log.settledOutcomes(),
    control: { read: async () => INITIAL_CONTROL },
    watermarkMarginMs: 0,
    consents: {
      read: (ids) =>
        Promise.resolve({
          watermark: Number.MAX_SAFE_INTEGER,
          histories: new Map(ids.map((id) => [id, given])),
        }),
    },
    policies: {
      read: () => Promise.resolve({ watermark: Number.MAX_SAFE_INTEGER, versions: [version] }),
    },
  });
  try {
    const blocked = await log
      .submissionLog()
      .consume(route, { until: 'end', signal: AbortSignal.timeout(300_000) });
    if (blocked !== undefined) throw blocked.error;
  } finally {
    stores.close();
  }
}
