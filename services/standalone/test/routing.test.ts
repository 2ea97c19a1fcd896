import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  TOPICS,
  consentCloudEvent,
  consentEntry,
  decodeAuditEvent,
  objectKey,
  policyEntry,
  submissionEntry,
  submissionId,
} from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import { submissionEvent } from '@residency/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { openDataDirectory, openRouter, prepareRegions } from '../src/index.ts';
import type { DataDirectory } from '../src/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

async function someData(): Promise<DataDirectory> {
  const data = await openDataDirectory(await temporaryFolder());
  onTestFinished(() => data.close());
  return data;
}

const toTheEnd = () => ({ until: 'end', signal: new AbortController().signal }) as const;

async function routed(data: DataDirectory): Promise<AuditEvent[]> {
  const router = await openRouter(data, toTheEnd());
  try {
    expect(await router.run()).toBeUndefined();
  } finally {
    await router.release();
  }
  const events: AuditEvent[] = [];
  for await (const bytes of data.log.auditRecords()) events.push(decodeAuditEvent(bytes));
  return events;
}

it('consent decides by the order of appends, even within one millisecond', async () => {
  const data = await someData();
  const consent = (kind: 'granted' | 'withdrawn', id: string) =>
    consentEntry(
      consentCloudEvent(
        kind === 'granted'
          ? {
              kind,
              consentId: 'consent-0001',
              purposes: ['threat-sample-sharing'],
              termsVersion: '1',
            }
          : { kind, consentId: 'consent-0001' },
        { id, source: 'urn:test' },
      ),
    );
  const sample = (id: string) => submissionEntry(submissionEvent({ id }));
  await data.log.append([
    sample('before'),
    consent('granted', '1'),
    sample('under'),
    consent('withdrawn', '2'),
    sample('after'),
    consent('granted', '3'),
    sample('again'),
  ]);
  expect(
    (await routed(data)).map(({ outcome, data: { ...values } }) =>
      'reason' in values ? values.reason : outcome,
    ),
  ).toEqual(['CONSENT_UNKNOWN', 'stored', 'CONSENT_WITHDRAWN', 'stored']);
});

it("a site's directory that is another site's stops the start, before anything is read", async () => {
  const data = await someData();
  await data.log.append([submissionEntry(submissionEvent())]);
  await rename(data.sitePath('zrh-1'), data.sitePath('aside'));
  await rename(data.sitePath('mow-1'), data.sitePath('zrh-1'));
  await expect(openRouter(data, toTheEnd())).rejects.toMatchObject({
    code: 'SITE_MARKER_MISMATCH',
  });
  await rename(data.sitePath('zrh-1'), data.sitePath('mow-1'));
  await rename(data.sitePath('aside'), data.sitePath('zrh-1'));
  expect(await routed(data)).toHaveLength(1);
});

it('a region without a key to seal with stops the start', async () => {
  const data = await someData();
  await rm(join(data.path, 'keys/moscow'), { recursive: true });
  await expect(openRouter(data, toTheEnd())).rejects.toMatchObject({
    code: 'NO_SEALING_KEY',
    message: expect.stringContaining('residency keys add --region moscow'),
  });
});

it('only one routes at a time; the next may once the first has given the lock back', async () => {
  const data = await someData();
  const first = await openRouter(data, toTheEnd());
  await expect(openRouter(data, toTheEnd())).rejects.toMatchObject({ code: 'ROUTING_LOCKED' });
  await first.release();
  const second = await openRouter(data, toTheEnd());
  await second.release();
});

it('what a crash left half-written in a site is gone once routing starts', async () => {
  const data = await someData();
  await writeFile(join(data.sitePath('zrh-1'), 'tmp/00000000-0000-4000-8000-000000000000'), 'half');
  await routed(data);
  await expect(
    rm(join(data.sitePath('zrh-1'), 'tmp/00000000-0000-4000-8000-000000000000')),
  ).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await data.log.end(TOPICS.audit)).toBe(0n);
});

it('a site that a policy names while routing goes on is opened when its first sample comes', async () => {
  const data = await someData();
  const [first] = (await data.log.policyView().read()).versions;
  if (first === undefined) throw new RangeError('a data directory has a first policy');
  await data.log.append([
    consentEntry(
      consentCloudEvent(
        {
          kind: 'granted',
          consentId: 'consent-0001',
          purposes: ['threat-sample-sharing'],
          termsVersion: '1',
        },
        { id: '1', source: 'urn:test' },
      ),
    ),
    submissionEntry(submissionEvent({ id: 'before' })),
  ]);
  const stopping = new AbortController();
  const events = Promise.withResolvers<void>();
  let settled = 0;
  const router = await openRouter(data, {
    until: 'aborted',
    signal: stopping.signal,
    settled: ({ settlements }) => {
      settled += settlements.length;
      if (settled === 2) events.resolve();
    },
  });
  const run = router.run();
  const regions = first.document.regions.map((region) =>
    region.id === 'zurich' ? { ...region, sites: [...region.sites, 'zrh-3'] } : region,
  );
  const second = {
    ...first.document,
    version: 2,
    effectiveFrom: new Date(Date.now() + 200).toISOString(),
    regions,
  };
  await prepareRegions(data, second);
  await data.log.append([policyEntry(second, 'e-2')]);
  await new Promise((resolve) => {
    setTimeout(resolve, 400);
  });
  await data.log.append([submissionEntry(submissionEvent({ id: 'after' }))]);
  await events.promise;
  stopping.abort();
  await run;
  await router.release();
  const placements: string[][] = [];
  for await (const bytes of data.log.auditRecords({ outcome: 'stored' })) {
    const { data: stored } = decodeAuditEvent(bytes);
    placements.push('placements' in stored ? stored.placements.map(({ site }) => site) : []);
  }
  expect(placements).toEqual([
    ['zrh-1', 'zrh-2'],
    ['zrh-1', 'zrh-2', 'zrh-3'],
  ]);
});

it('a damaged object sets aside what comes under its identity, and nothing else', async () => {
  const data = await someData();
  await data.log.append([
    consentEntry(
      consentCloudEvent(
        {
          kind: 'granted',
          consentId: 'consent-0001',
          purposes: ['threat-sample-sharing'],
          termsVersion: '1',
        },
        { id: '1', source: 'urn:test' },
      ),
    ),
    submissionEntry(submissionEvent({ id: 'x' })),
  ]);
  expect((await routed(data)).map(({ outcome }) => outcome)).toEqual(['stored']);
  await writeFile(
    join(data.sitePath('zrh-1'), objectKey(submissionId({ source: 'urn:test:product', id: 'x' }))),
    'damaged',
  );
  await data.log.append([
    submissionEntry(submissionEvent({ id: 'before' })),
    submissionEntry(submissionEvent({ id: 'x' })),
    submissionEntry(submissionEvent({ id: 'after' })),
  ]);
  expect((await routed(data)).map(({ outcome }) => outcome)).toEqual([
    'stored',
    'stored',
    'quarantined',
    'stored',
  ]);
});
