import { copyFile } from 'node:fs/promises';
import { join } from 'node:path';
import { consentCloudEvent, consentEntry, submissionEntry } from '@residency/contracts';
import { SALT, submissionEvent } from '@residency/testkit';
import { expect, it } from 'vitest';
import { openDataDirectory, openRouter } from '../src/index.ts';
import type { DataDirectory } from '../src/index.ts';
import { temporaryFolder } from './temporary-folder.ts';

async function route(data: DataDirectory): Promise<string | undefined> {
  const router = await openRouter(data);
  try {
    return (await router.run({ until: 'end', signal: new AbortController().signal }))?.error.code;
  } finally {
    await router.release();
  }
}

async function within<T>(path: string, work: (data: DataDirectory) => Promise<T>): Promise<T> {
  const data = await openDataDirectory(path);
  try {
    return await work(data);
  } finally {
    await data.close();
  }
}

const consent = consentEntry(
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
);

it.each([
  ['other bytes at the offset that was stored', [{ id: 'x', sample: 'another' }]],
  [
    'the same submission at an earlier offset',
    [
      { id: 'y', sample: 'new' },
      { id: 'x', sample: 'stored' },
    ],
  ],
])(
  'with an older log.db under newer sites nothing is settled that contradicts the sites: %s',
  async (_, submissions) => {
    const path = await temporaryFolder();
    const older = join(await temporaryFolder(), 'older.db');
    await within(path, async ({ log }) => {
      await log.append([consent]);
    });
    await copyFile(join(path, 'log.db'), older);
    await within(path, async (data) => {
      // Two before it in the second case, so that the older log has not come to its offset yet.
      if (submissions.length > 1)
        await data.log.append([
          submissionEntry(submissionEvent({ id: 'a' })),
          submissionEntry(submissionEvent({ id: 'b' })),
        ]);
      await data.log.append([submissionEntry(submissionEvent({ id: 'x', sample: 'stored' }))]);
      expect(await route(data)).toBeUndefined();
    });
    await copyFile(older, join(path, 'log.db'));
    await within(path, async (data) => {
      await data.log.append(submissions.map((fields) => submissionEntry(submissionEvent(fields))));
      for (let start = 0; start < 2; start += 1)
        await expect(route(data)).rejects.toMatchObject({ code: 'LOG_REWOUND', remedy: 'stop' });
      expect(await data.log.committed()).toBeNull();
    });
  },
);
