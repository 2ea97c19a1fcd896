import { randomUUID } from 'node:crypto';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CodedError } from '@residency/coded-error';
import {
  TOPICS,
  consentCloudEvent,
  consentEntry,
  policyEntry,
  submissionEntry,
} from '@residency/contracts';
import type { LogRecord } from '@residency/contracts';
import { createLogger, createMetrics } from '@residency/telemetry';
import { SALT, eventually, submissionEvent } from '@residency/testkit';
import { expect, it, onTestFinished, vi } from 'vitest';
import {
  Withdrawals,
  openDataDirectory,
  openRouter,
  payOnce,
  prepareRegions,
  startStandalone,
} from '../src/index.ts';
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

it.each([undefined, new Error('a full disk')])(
  'what one region erased leaves the intake log, even if a later region stops (deleting fails with %s)',
  async (second) => {
    const data = await openDataDirectory(await temporaryFolder());
    onTestFinished(() => data.close());
    const consentId = 'consent-0001';
    const consent = (event: Parameters<typeof consentCloudEvent>[0], id: string) =>
      consentEntry(consentCloudEvent(event, { id, source: 'urn:test' }), SALT);
    const purposes = ['threat-sample-sharing'];
    const intake = (): Promise<LogRecord[]> => Array.fromAsync(data.log.read(TOPICS.samples));
    await data.log.append([
      consent({ kind: 'granted', consentId, purposes, termsVersion: '1' }, '1'),
      submissionEntry(submissionEvent({ id: 'first', country: 'CH' })),
      submissionEntry(submissionEvent({ id: 'later', country: 'RU' })),
    ]);
    const router = await openRouter(data);
    onTestFinished(() => router.release());
    const { signal } = new AbortController();
    await router.run({ until: 'end', signal });
    await data.log.append([consent({ kind: 'withdrawn', consentId }, '2')]);
    await new Withdrawals(data.log).order();
    const { sites } = router;
    const stop = new CodedError({ code: 'SITE_MARKER_MISMATCH', message: 'moved', remedy: 'stop' });
    const open = sites.custodianSite.bind(sites);
    vi.spyOn(sites, 'custodianSite').mockImplementation(async (site, region) => {
      if (region === 'zurich') return await open(site, region);
      throw stop;
    });
    const drop = vi.spyOn(data.log, 'dropErased');
    if (second !== undefined) drop.mockRejectedValueOnce(second);
    await expect(payOnce({ data, sites }, signal)).rejects.toBe(stop);
    expect(drop).toHaveBeenCalledOnce();
    expect((await intake()).map(({ offset }) => offset)).toEqual(
      second === undefined ? [1n] : [0n, 1n],
    );
  },
);
