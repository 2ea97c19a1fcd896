import { exampleObject } from '@residency/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { CandidateJournal, foldJournals } from '../src/candidate-journal.ts';
import { encodeCandidate } from '../src/candidate-line.ts';
import { DISK_CALLS } from '../src/disk-calls.ts';
import { MetadataFiles } from '../src/metadata-files.ts';
import { JOURNAL_DIRECTORY, metadataPath } from '../src/site-layout.ts';
import { ZURICH, temporarySite } from './temporary-site.ts';
import type { TemporarySite } from './temporary-site.ts';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

let site: TemporarySite;
let journal: CandidateJournal;
let reader: MetadataFiles;
beforeEach(async () => {
  site = await temporarySite();
  reader = new MetadataFiles(site.directory);
  journal = new CandidateJournal({
    directory: site.directory,
    site: ZURICH.site,
    calls: DISK_CALLS,
    requireSameFolder: () => undefined,
    foldedAtBytes: 2_000,
  });
});
afterEach(() => site.remove());

const OBJECTS = Array.from({ length: 30 }, (_, index) => exampleObject(`line-${index}`, index));
const submissionOf = ({ key }: { readonly key: string }) => key.slice(-64);
const append = (from: number, to: number) =>
  Promise.all(
    OBJECTS.slice(from, to).map((object) =>
      journal.append(encodeCandidate(submissionOf(object), object.metadata)),
    ),
  );
const found = async (from: number, to: number) => {
  const metadata = await Promise.all(
    OBJECTS.slice(from, to).map((object) =>
      reader.find(submissionOf(object), object.metadata.sealedSha256),
    ),
  );
  return metadata.filter((one) => one !== undefined).length;
};

test('a journal is folded once it is long, and a reader finds every line before, meanwhile and after', async () => {
  await append(0, 3);
  await journal.fold();
  expect(await site.files('metadata')).toHaveLength(1);
  expect(await found(0, 3)).toBe(3);

  await append(3, 10);
  const [, reading] = await Promise.all([
    journal.fold(),
    (async () => {
      for (let round = 0; round < 20; round += 1) expect(await found(0, 10)).toBe(10);
    })(),
  ]);
  expect(reading).toBeUndefined();
  expect(await site.files('metadata')).toEqual(
    OBJECTS.slice(0, 10)
      .map((object) => metadataPath(submissionOf(object)))
      .sort(),
  );

  // As many lines as before in a new journal, which a file system may give the same inode.
  await append(10, 20);
  expect(await found(0, 20)).toBe(20);
  await journal.fold();
  await append(20, 30);
  expect(await found(0, 30)).toBe(30);
});

test('what is no journal stays among the journals', async () => {
  await append(0, 1);
  const [name = ''] = await site.files(JOURNAL_DIRECTORY);
  await writeFile(join(site.directory, name), '\nhidden', { flag: 'a' });
  await writeFile(join(site.directory, JOURNAL_DIRECTORY, 'note'), '');
  expect(await foldJournals(site.directory, ZURICH.site)).toBe(0);
  expect(await site.files('metadata')).toEqual([name, `${JOURNAL_DIRECTORY}/note`].sort());
  expect(await found(0, 1)).toBe(1);
});
