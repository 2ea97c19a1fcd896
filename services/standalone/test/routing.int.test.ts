import { rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { FilesystemSiteReader } from '@residency/adapter-filesystem';
import {
  RECORD_SET_ASIDE,
  TOPICS,
  consentCloudEvent,
  consentEntry,
  controlEntry,
  decodeAuditEvent,
  objectKey,
  policyEntry,
  submissionEntry,
  submissionId,
} from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import { SALT, submissionEvent } from '@residency/testkit';
import { expect, it, onTestFinished } from 'vitest';
import type { WrapStore } from '../src/embedded-sites.ts';
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
  const router = await openRouter(data);
  try {
    expect(await router.run(toTheEnd())).toBeUndefined();
  } finally {
    await router.release();
  }
  const events: AuditEvent[] = [];
  for await (const bytes of data.log.auditRecords()) events.push(decodeAuditEvent(bytes));
  return events;
}

it('the order of appends decides about consent, even within one millisecond', async () => {
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
      SALT,
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

it('a directory of another site prevents the start, before anything is read', async () => {
  const data = await someData();
  await data.log.append([submissionEntry(submissionEvent())]);
  await rename(data.sitePath('zrh-1'), data.sitePath('aside'));
  await rename(data.sitePath('mow-1'), data.sitePath('zrh-1'));
  await expect(openRouter(data)).rejects.toMatchObject({
    code: 'SITE_MARKER_MISMATCH',
  });
  await rename(data.sitePath('zrh-1'), data.sitePath('mow-1'));
  await rename(data.sitePath('aside'), data.sitePath('zrh-1'));
  expect(await routed(data)).toHaveLength(1);
});

it("two sites whose folders are swapped during routing get none of each other's objects, and routing ends with an error that names the marker", async () => {
  const data = await someData();
  const grant = consentEntry(
    consentCloudEvent(
      {
        kind: 'granted',
        consentId: 'consent-0001',
        purposes: ['threat-sample-sharing'],
        termsVersion: '1',
      },
      { id: 'grant', source: 'urn:test' },
    ),
    SALT,
  );
  const sample = (id: string) => submissionEntry(submissionEvent({ id, country: 'CH' }));
  await data.log.append([grant, sample('before')]);
  const settled = Promise.withResolvers<void>();
  const router = await openRouter(data);
  const running = router.run({
    until: 'aborted',
    signal: new AbortController().signal,
    settled: () => {
      settled.resolve();
    },
  });
  await settled.promise;
  await rename(data.sitePath('zrh-1'), data.sitePath('aside'));
  await rename(data.sitePath('mow-1'), data.sitePath('zrh-1'));
  await rename(data.sitePath('aside'), data.sitePath('mow-1'));
  await data.log.append(['1', '2', '3', '4', '5'].map(sample));
  await expect(running).rejects.toMatchObject({
    code: 'SITE_MARKER_MISMATCH',
    remedy: 'stop',
    message: expect.stringMatching(/site zrh-1 in region zurich, found site mow-1/),
  });
  await router.release();
  expect(
    await Array.fromAsync(new FilesystemSiteReader(data.sitePath('zrh-1'), 'zrh-1').list()),
  ).toEqual([]);
});

it('a region without a sealing key prevents the start', async () => {
  const data = await someData();
  await rm(join(data.path, 'keys/moscow'), { recursive: true });
  await expect(openRouter(data)).rejects.toMatchObject({
    code: 'NO_SEALING_KEY',
    message: expect.stringContaining('residency keys add --region moscow'),
  });
});

it('only one process routes at a time; the next one may after the first has released the lock', async () => {
  const data = await someData();
  const first = await openRouter(data);
  await expect(openRouter(data)).rejects.toMatchObject({ code: 'ROUTING_LOCKED' });
  await first.release();
  const second = await openRouter(data);
  await second.release();
});

it('half-written files of a crash are removed from a site when routing starts', async () => {
  const data = await someData();
  await writeFile(join(data.sitePath('zrh-1'), 'tmp/00000000-0000-4000-8000-000000000000'), 'half');
  await routed(data);
  await expect(
    rm(join(data.sitePath('zrh-1'), 'tmp/00000000-0000-4000-8000-000000000000')),
  ).rejects.toMatchObject({ code: 'ENOENT' });
  expect(await data.log.end(TOPICS.audit)).toBe(0n);
});

it('a site that a policy names during routing is opened for its first sample', async () => {
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
      SALT,
    ),
    submissionEntry(submissionEvent({ id: 'before' })),
  ]);
  const stopping = new AbortController();
  const events = Promise.withResolvers<void>();
  let settled = 0;
  const router = await openRouter(data);
  const run = router.run({
    until: 'aborted',
    signal: stopping.signal,
    settled: ({ settlements }) => {
      settled += settlements.length;
      if (settled === 2) events.resolve();
    },
  });
  const regions = first.document.regions.map((region) =>
    region.id === 'zurich' ? { ...region, sites: [...region.sites, 'zrh-3'] } : region,
  );
  await prepareRegions(data, { ...first.document, version: 2, regions });
  // Far enough ahead that it is appended before, on a busy machine too.
  const from = Date.now() + 2_000;
  const effectiveFrom = new Date(from).toISOString();
  const second = { ...first.document, version: 2, effectiveFrom, regions };
  await data.log.append([policyEntry(second, 'e-2')]);
  await sleep(from + 100 - Date.now());
  await data.log.append([submissionEntry(submissionEvent({ id: 'after' }))]);
  await events.promise;
  stopping.abort();
  await run;
  await router.release();
  const placements: string[][] = [];
  for await (const bytes of data.log.auditRecords({ outcome: 'stored' })) {
    const { data: stored } = decodeAuditEvent(bytes);
    placements.push(
      'placements' in stored ? (stored.placements ?? []).map(({ site }) => site) : [],
    );
  }
  expect(placements).toEqual([
    ['zrh-1', 'zrh-2'],
    ['zrh-1', 'zrh-2', 'zrh-3'],
  ]);
});

it('a damaged object quarantines the records of its identity, and no others', async () => {
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
      SALT,
    ),
    submissionEntry(submissionEvent({ id: 'x' })),
  ]);
  expect((await routed(data)).map(({ outcome }) => outcome)).toEqual(['stored']);
  const id = submissionId({ source: 'urn:test:product', id: 'x' });
  await writeFile(join(data.sitePath('zrh-1'), 'samples', id.slice(0, 1), id), 'damaged');
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

it('a record whose store throws an unforeseen error blocks the records behind it, until a person sets it aside', async () => {
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
      SALT,
    ),
  ]);
  await data.log.append(['a', 'b'].map((id) => submissionEntry(submissionEvent({ id }))));
  const key = objectKey(submissionId(submissionEvent({ id: 'a' })));
  const wrapStore: WrapStore = (store) => ({
    site: store.site,
    head: (at) => store.head(at),
    flush: () => store.flush(),
    create: async (...object) => {
      if (object[0] === key) throw new TypeError('a defect');
      return await store.create(...object);
    },
  });
  const run = async () => {
    const router = await openRouter(data, { wrapStore });
    try {
      return await router.run(toTheEnd());
    } finally {
      await router.release();
    }
  };
  expect(await run()).toMatchObject({ offset: 0n, error: { code: 'RECORD_BLOCKED' } });
  await data.log.append([
    controlEntry(
      {
        type: RECORD_SET_ASIDE,
        data: { position: `${data.log.name}/threat.samples/0/0`, reason: 'a defect' },
      },
      '1',
      SALT,
    ),
  ]);
  expect(await run()).toBeUndefined();
  const events: AuditEvent[] = [];
  for await (const bytes of data.log.auditRecords()) events.push(decodeAuditEvent(bytes));
  expect(
    events.map(({ outcome, data: said }) => ('reason' in said ? said.reason : outcome)),
  ).toEqual(['UNPROCESSABLE', 'stored']);
  expect((await Array.fromAsync(data.log.quarantine())).map(({ reason }) => reason)).toEqual([
    'UNPROCESSABLE',
  ]);
});
