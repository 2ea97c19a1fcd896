import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { policyEntry } from '@residency/contracts';
import { createLogger, createMetrics } from '@residency/telemetry';
import { eventually } from '@residency/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { prepareRegions, startStandalone } from '../src/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

it('a region that a policy version adds while it runs gets a custodian', async () => {
  const metrics = createMetrics({ service: 'standalone', version: 'test', now: Date.now });
  const standalone = await startStandalone({
    data: join(await temporaryFolder(), 'data'),
    host: '127.0.0.1',
    port: 0,
    examples: false,
    retainMs: 86_400_000,
    logger: createLogger({ level: 'silent' }),
    metrics,
  });
  onTestFinished(() => standalone.stop());
  const { data } = standalone;
  const rounds = async (region: string): Promise<boolean> =>
    (await metrics.render()).body.includes(
      `residency_custodian_round_timestamp_seconds{region="${region}"}`,
    );
  await eventually(async () => ((await rounds('zurich')) ? true : undefined));
  expect(await rounds('oslo')).toBe(false);
  const { versions } = await data.log.policyView().read();
  const [first] = versions;
  if (first === undefined) throw new Error('Expected a first policy.');
  const document = {
    ...first.document,
    version: 2,
    effectiveFrom: new Date(Date.now() + 10_000).toISOString(),
    regions: [...first.document.regions, { id: 'oslo', sites: ['osl-1'], settleWith: 1 }],
  };
  await prepareRegions(data, document, [first.document]);
  await data.log.append([policyEntry(document, randomUUID())]);
  await eventually(async () => ((await rounds('oslo')) ? true : undefined));
});
