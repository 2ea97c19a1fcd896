import { appendFile, copyFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  consentCloudEvent,
  consentEntry,
  decodeAuditEvent,
  objectKey,
  submissionEntry,
  submissionId,
} from '@residency/contracts';
import type { Blocked } from '@residency/routing';
import { submissionEvent } from '@residency/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { openDataDirectory, openRouter } from '../src/index.ts';
import type { DataDirectory } from '../src/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

async function route(data: DataDirectory): Promise<Blocked | undefined> {
  const router = await openRouter(data);
  try {
    return await router.run({ until: 'end', signal: new AbortController().signal });
  } finally {
    await router.release();
  }
}

it('if the first site lost an object and another sample has its id, routing waits until a person restores the object as in the runbook', async () => {
  const data = await openDataDirectory(await temporaryFolder());
  onTestFinished(() => data.close());
  const id = submissionId(submissionEvent({ id: 'x' }));
  const key = objectKey(id);
  const metadata = `metadata/${id.slice(0, 2)}/${id}`;
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
  expect(await route(data)).toBeUndefined();
  const [lost, good] = [data.sitePath('zrh-1'), data.sitePath('zrh-2')];
  await rm(join(lost, key));
  await data.log.append([
    submissionEntry(submissionEvent({ id: 'x', sample: 'another' })),
    submissionEntry(submissionEvent({ id: 'x' })),
  ]);
  for (let start = 0; start < 2; start += 1) {
    expect(await route(data)).toMatchObject({
      offset: 1n,
      error: { code: 'SITES_DISAGREE', remedy: 'retry' },
    });
  }

  await copyFile(join(good, key), join(lost, key));
  await appendFile(join(lost, metadata), await readFile(join(good, metadata)));
  expect(await route(data)).toBeUndefined();
  const outcomes: string[] = [];
  for await (const bytes of data.log.auditRecords()) outcomes.push(decodeAuditEvent(bytes).outcome);
  expect(outcomes).toEqual(['stored', 'quarantined', 'duplicate']);
  expect(Buffer.compare(await readFile(join(lost, key)), await readFile(join(good, key)))).toBe(0);
});
