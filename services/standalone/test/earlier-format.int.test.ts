import { mkdir, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  consentCloudEvent,
  consentEntry,
  decodeAuditEvent,
  objectKey,
  submissionEntry,
  submissionId,
} from '@residency/contracts';
import { SALT, submissionEvent } from '@residency/testkit';
import { expect, it, onTestFinished } from 'vitest';
import { openDataDirectory, openRouter } from '../src/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

const WRITTEN = submissionId(submissionEvent({ id: 'written' }));

/** Routes what waits and returns all outcomes. */
async function outcomesOf(path: string, ...ids: readonly string[]): Promise<readonly string[]> {
  const data = await openDataDirectory(path);
  try {
    await data.log.append(ids.map((id) => submissionEntry(submissionEvent({ id }))));
    const router = await openRouter(data);
    try {
      expect(
        await router.run({ until: 'end', signal: new AbortController().signal }),
      ).toBeUndefined();
    } finally {
      await router.release();
    }
    const outcomes: string[] = [];
    for await (const bytes of data.log.auditRecords())
      outcomes.push(decodeAuditEvent(bytes).outcome);
    return outcomes;
  } finally {
    await data.close();
  }
}

/** A data directory with one stored sample, as version 0.1 would have left it. */
async function earlierDirectory(): Promise<string> {
  const path = join(await temporaryFolder(), 'data');
  const data = await openDataDirectory(path);
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
  await data.close();
  expect(await outcomesOf(path, 'written')).toEqual(['stored']);
  for (const site of ['zrh-1', 'zrh-2']) await asVersion01(join(path, 'sites', site));
  const marker = await readFile(join(path, 'residency.json'), 'utf8');
  await writeFile(join(path, 'residency.json'), marker.replace('"format":2', '"format":1'));
  return path;
}

async function asVersion01(site: string): Promise<void> {
  const object = join(site, objectKey(WRITTEN));
  await mkdir(dirname(object), { recursive: true });
  await rename(join(site, 'samples', WRITTEN.slice(0, 1), WRITTEN), object);
  await rm(join(site, 'samples', WRITTEN.slice(0, 1)), { recursive: true });
  const journals = join(site, 'metadata/journals');
  const [journal = ''] = await readdir(journals);
  const line = await readFile(join(journals, journal), 'utf8');
  await rm(journals, { recursive: true });
  await mkdir(join(site, 'metadata', WRITTEN.slice(0, 2)));
  await writeFile(
    join(site, 'metadata', WRITTEN.slice(0, 2), WRITTEN),
    line.replace(`"submission":"${WRITTEN}",`, ''),
  );
}

it('a data directory of version 0.1 is routed on: what it stored is found, and it is marked so that 0.1 refuses it', async () => {
  const path = await earlierDirectory();
  expect(await outcomesOf(path, 'written', 'new')).toEqual(['stored', 'duplicate', 'stored']);
  expect(JSON.parse(await readFile(join(path, 'residency.json'), 'utf8'))).toMatchObject({
    format: 2,
  });
  expect(await readdir(join(path, 'sites/zrh-1/samples', WRITTEN.slice(0, 2)))).toHaveLength(1);
});

it('only routing raises the format, and a crash before that is done leaves a directory that opens', async () => {
  const path = await earlierDirectory();
  const marker = join(path, 'residency.json');
  const earlier = await readFile(marker, 'utf8');
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  // Killed after part of the new marker was written.
  await writeFile(`${marker}.new`, earlier.slice(0, 12));
  await (await openDataDirectory(path)).close();
  expect(await readFile(marker, 'utf8')).toBe(earlier);
  expect(await outcomesOf(path, 'written')).toEqual(['stored', 'duplicate']);
  expect((await readdir(path)).filter((name) => name.startsWith('residency.json'))).toEqual([
    'residency.json',
  ]);
  expect(await readFile(marker, 'utf8')).toBe(earlier.replace('"format":1', '"format":2'));
});
