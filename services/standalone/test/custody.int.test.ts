import { randomUUID } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
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

it('a start reads what is new since the register was saved, and everything if it is damaged', async () => {
  const data = join(await temporaryFolder(), 'data');
  const lines: string[] = [];
  const takeOver = async (): Promise<readonly (string | undefined)[]> => {
    const metrics = createMetrics({ service: 'standalone', version: 'test', now: Date.now });
    const standalone = await startStandalone({
      data,
      host: '127.0.0.1',
      port: 0,
      examples: true,
      retainMs: 86_400_000,
      logger: createLogger({
        level: 'warn',
        destination: { write: (line) => void lines.push(line) },
      }),
      metrics,
    });
    try {
      await standalone.firstRun();
      return await eventually(async () => {
        const { body } = await metrics.render();
        const read = ['audit', 'custody'].map(
          (log) =>
            new RegExp(
              `^residency_takeover_records\\{region="zurich",log="${log}"\\} (\\d+)$`,
              'm',
            ).exec(body)?.[1],
        );
        return read.includes(undefined) ? undefined : read;
      });
    } finally {
      await standalone.stop();
    }
  };
  // The examples may come after the first take-over; the second one reads them.
  await takeOver();
  await takeOver();
  const file = join(data, 'register-zurich');
  expect((await stat(file)).mode & 0o777).toBe(0o600);
  expect(await takeOver()).toEqual(['0', '0']);
  expect(lines).toEqual([]);
  const bytes = await readFile(file);
  await writeFile(file, bytes.subarray(0, -1));
  const [audit, custody] = await takeOver();
  expect(Number(audit)).toBeGreaterThan(0);
  expect(custody).toBe('0');
  expect(lines).toEqual([expect.stringContaining('REGISTER_UNREADABLE')]);
  expect(await takeOver()).toEqual(['0', '0']);
  expect(lines).toHaveLength(1);
});
