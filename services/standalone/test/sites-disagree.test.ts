import { execFileSync } from 'node:child_process';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import {
  consentCloudEvent,
  consentEntry,
  decodeAuditEvent,
  submissionEntry,
  submissionId,
} from '@residency/contracts';
import type { Blocked } from '@residency/routing';
import { SALT, submissionEvent } from '@residency/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { openDataDirectory, openRouter } from '../src/index.ts';
import type { DataDirectory } from '../src/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** The runbook's commands for directories. */
async function repair(good: string, site: string, id: string): Promise<string> {
  const page = await readFile(
    new URL('../../../docs/runbooks/ResidencySitesDisagree.md', import.meta.url),
    'utf8',
  );
  const [commands = ''] = /(?:^ {4}.*\bGOOD\/samples\b.*\n|^ {4}.*\bSITE\/.*\n)+/m.exec(page) ?? [];
  const values: Readonly<Record<string, string>> = {
    GOOD: good,
    SITE: site,
    ID: id,
    AA: id.slice(0, 2),
    A: id.slice(0, 1),
  };
  return commands.replaceAll(/\b(?:GOOD|SITE|ID|AA|A)\b/g, (name) => values[name] ?? '');
}

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
  const file = `samples/${id.slice(0, 1)}/${id}`;
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
  expect(await route(data)).toBeUndefined();
  const [lost, good] = [data.sitePath('zrh-1'), data.sitePath('zrh-2')];
  await rm(join(lost, file));
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

  execFileSync('sh', ['-ec', await repair(good, lost, id)]);
  expect(await route(data)).toBeUndefined();
  const outcomes: string[] = [];
  for await (const bytes of data.log.auditRecords()) outcomes.push(decodeAuditEvent(bytes).outcome);
  expect(outcomes).toEqual(['stored', 'quarantined', 'duplicate']);
  expect(Buffer.compare(await readFile(join(lost, file)), await readFile(join(good, file)))).toBe(
    0,
  );
});
