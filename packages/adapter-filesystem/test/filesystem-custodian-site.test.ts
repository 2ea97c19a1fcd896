import { execFileSync } from 'node:child_process';
import { mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { encodeObjectMetadata, setAsideKey, sha256 } from '@residency/contracts';
import type { CustodianSite, FoundCopy, NewCopy } from '@residency/custodianship';
import { exampleObject, exampleTombstone } from '@residency/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { foldJournals } from '../src/candidate-journal.ts';
import { FilesystemCustodianSite } from '../src/filesystem-custodian-site.ts';
import { FilesystemObjectStore } from '../src/filesystem-object-store.ts';
import { FilesystemSiteReader } from '../src/filesystem-site-reader.ts';
import { earlierMetadataPath, objectPath } from '../src/site-layout.ts';
import { ZURICH, temporarySite } from './temporary-site.ts';
import type { TemporarySite } from './temporary-site.ts';

let site: TemporarySite;
let custodian: CustodianSite;
let reader: FilesystemSiteReader;
beforeEach(async () => {
  site = await temporarySite();
  custodian = new FilesystemCustodianSite(site.directory, ZURICH);
  reader = new FilesystemSiteReader(site.directory, ZURICH.site);
});
afterEach(() => site.remove());

const at = (path: string): string => join(site.directory, path);
const submissionOf = ({ key }: { readonly key: string }): string => key.slice(-64);
const fileOf = (copy: NewCopy): string => at(objectPath(submissionOf(copy)));
const listed = async () =>
  (await Array.fromAsync(reader.list())).toSorted((a, b) => (a.key < b.key ? -1 : 1));
function copyOf(offset: number): NewCopy {
  const { key, sealed, metadata } = exampleObject('one', offset);
  return { key, bytes: sealed, metadata };
}
const [FIRST, SECOND] = [copyOf(1), copyOf(2)];

async function standing(): Promise<FoundCopy> {
  await new FilesystemObjectStore(site.directory, ZURICH).create(
    FIRST.key,
    FIRST.bytes,
    FIRST.metadata,
  );
  const found = await custodian.read(FIRST.key);
  if (found === undefined) throw new Error('Expected the object that was created.');
  return found;
}

test('what was set aside is in the site as bytes with their metadata beside them, and is not foreign', async () => {
  const found = await standing();
  const { key } = await custodian.setAside(submissionOf(FIRST), found);
  await custodian.replace(SECOND, found);
  await custodian.flush();
  expect(await readFile(at(key))).toEqual(FIRST.bytes);
  expect(JSON.parse(await readFile(at(`${key}.json`), 'utf8'))).toEqual(
    encodeObjectMetadata(FIRST.metadata),
  );
  expect((await stat(at(key))).mode & 0o777).toBe(0o600);
  expect((await stat(dirname(at(key)))).mode & 0o777).toBe(0o700);
  for (const journals of [2, 0]) {
    expect(await listed()).toEqual([
      { key, foreign: false },
      { key: SECOND.key, foreign: false },
    ]);
    expect(await reader.read(SECOND.key)).toEqual({
      bytes: SECOND.bytes,
      metadata: encodeObjectMetadata(SECOND.metadata),
    });
    expect(await foldJournals(site.directory, ZURICH.site)).toBe(journals);
  }
  expect(await site.files('tmp')).toEqual([]);
});

test('anything else in the folder of what was set aside is foreign', async () => {
  const digest = sha256(FIRST.bytes);
  const key = setAsideKey(submissionOf(FIRST), digest);
  const strange = [
    'damaged/note.txt',
    `damaged/${submissionOf(FIRST)}/${digest}.txt`,
    `damaged/${submissionOf(FIRST)}/${digest}/deep`,
    `damaged/${submissionOf(FIRST)}x/${digest}`,
  ];
  for (const path of strange) {
    await mkdir(dirname(at(path)), { recursive: true });
    await writeFile(at(path), 'x');
  }
  const link = setAsideKey('0'.repeat(64), digest);
  await mkdir(dirname(at(link)));
  await symlink('/dev/null', at(link));
  expect(await listed()).toEqual(
    [...strange, link].toSorted().map((path) => ({ key: path, foreign: true })),
  );
  await rm(at(key), { recursive: true });
  await writeFile(at(key), FIRST.bytes);
  expect(await listed()).toContainEqual({ key, foreign: false });
});

test('replaces for one of several calls of one process that found the same', async () => {
  const found = await standing();
  const second = new FilesystemCustodianSite(site.directory, ZURICH);
  const copies = [3, 4, 5, 6, 7, 8].map(copyOf);
  const results = await Promise.all(
    copies.map((copy, nth) => (nth % 2 === 0 ? custodian : second).replace(copy, found)),
  );
  const winners = copies.filter((_, nth) => results[nth]?.written === true);
  expect(winners).toHaveLength(1);
  expect(await custodian.read(FIRST.key)).toMatchObject({ bytes: winners[0]?.bytes });
  expect(await site.files('tmp')).toEqual([]);
});

test('does not replace another file with the same bytes', async () => {
  const found = await standing();
  const other = `${fileOf(FIRST)}.other`;
  await writeFile(other, FIRST.bytes);
  await rename(other, fileOf(FIRST));
  expect(await custodian.replace(SECOND, found)).toEqual({ written: false });
  expect(await readFile(fileOf(FIRST))).toEqual(FIRST.bytes);
});

test('replaces an object of version 0.1 where it is', async () => {
  await mkdir(dirname(at(FIRST.key)), { recursive: true });
  await writeFile(at(FIRST.key), FIRST.bytes);
  const lines = at(earlierMetadataPath(submissionOf(FIRST)));
  await mkdir(dirname(lines), { recursive: true });
  await writeFile(lines, `\n${JSON.stringify(encodeObjectMetadata(FIRST.metadata))}`);
  const found = await custodian.read(FIRST.key);
  expect(found).toMatchObject({ bytes: FIRST.bytes, metadata: FIRST.metadata });
  if (found === undefined) return;
  expect(await custodian.create(SECOND)).toEqual({ written: false });
  expect(await custodian.replace(SECOND, found)).toEqual({ written: true });
  expect(await site.files('samples')).toEqual([FIRST.key]);
  expect(await custodian.read(FIRST.key)).toMatchObject({
    bytes: SECOND.bytes,
    metadata: SECOND.metadata,
  });
});

test.each<[string, (path: string) => Promise<unknown> | Buffer]>([
  ['a link', (path) => symlink('/dev/null', path)],
  ['a folder', (path) => mkdir(path)],
  ['a pipe', (path) => execFileSync('mkfifo', [path])],
])("%s under a sample's key is neither read nor replaced", async (_, make) => {
  const found = await standing();
  await rm(fileOf(FIRST));
  await make(fileOf(FIRST));
  const refusal = { code: 'OBJECT_NOT_A_FILE', remedy: 'park' };
  await expect(custodian.read(FIRST.key)).rejects.toMatchObject(refusal);
  await expect(custodian.replace(SECOND, found)).rejects.toMatchObject(refusal);
  expect(await custodian.create(SECOND)).toEqual({ written: false });
});

test('a site that is not mounted is unreachable, and nothing is made in its place', async () => {
  const found = await standing();
  await rename(site.directory, `${site.directory}.away`);
  const refusal = { code: 'SITE_UNREACHABLE', remedy: 'retry' };
  await expect(custodian.read(FIRST.key)).rejects.toMatchObject(refusal);
  await expect(custodian.create(SECOND)).rejects.toMatchObject(refusal);
  await expect(custodian.replace(SECOND, found)).rejects.toMatchObject(refusal);
  await expect(custodian.setAside(submissionOf(FIRST), found)).rejects.toMatchObject(refusal);
  await expect(
    custodian.purge(exampleTombstone('one'), submissionOf(FIRST), []),
  ).rejects.toMatchObject(refusal);
  await expect(stat(site.directory)).rejects.toMatchObject({ code: 'ENOENT' });
  await rename(`${site.directory}.away`, site.directory);
  expect(await custodian.replace(SECOND, found)).toEqual({ written: true });
});

const TOMBSTONE = exampleTombstone('one');
const NOTHING = { versions: 0, setAside: 0, uploads: 0 };

test('a purge takes files of crashed attempts whose beginning names the submission, and no others', async () => {
  const found = await standing();
  await custodian.replace(TOMBSTONE, found);
  const header = Buffer.from(`....submission.@${submissionOf(FIRST)}`);
  const files: readonly (readonly [string, Buffer])[] = [
    ['whole', Buffer.concat([header, FIRST.bytes])],
    ['torn', header],
    ['another', Buffer.concat([Buffer.from('0'.repeat(64)), SECOND.bytes])],
    ['tombstone', TOMBSTONE.bytes],
  ];
  for (const [name, bytes] of files) await writeFile(at(`tmp/${name}`), bytes);
  await mkdir(at('tmp/folder'));
  expect(await custodian.purge(TOMBSTONE, submissionOf(FIRST), [])).toEqual({
    ...NOTHING,
    uploads: 2,
  });
  expect(await site.files('tmp')).toEqual(['tmp/another', 'tmp/tombstone']);
});

test('a purge takes the metadata of what was set aside, also without its bytes', async () => {
  const found = await standing();
  const { key } = await custodian.setAside(submissionOf(FIRST), found);
  await rm(at(key));
  await custodian.replace(TOMBSTONE, found);
  await custodian.purge(TOMBSTONE, submissionOf(FIRST), []);
  expect(await site.files('damaged')).toEqual([key]);
  expect(await readFile(at(key))).toEqual(TOMBSTONE.bytes);
  expect(await custodian.purge(TOMBSTONE, submissionOf(FIRST), [])).toEqual(NOTHING);
});

test('an object of version 0.1 is erased where it is, and a second file of the object is replaced', async () => {
  await mkdir(dirname(at(FIRST.key)), { recursive: true });
  await writeFile(at(FIRST.key), FIRST.bytes);
  const found = await custodian.read(FIRST.key);
  if (found === undefined) throw new Error('Expected the file of version 0.1.');
  expect(await custodian.replace(TOMBSTONE, found)).toEqual({ written: true });
  expect(await custodian.purge(TOMBSTONE, submissionOf(FIRST), [])).toEqual(NOTHING);
  expect(await site.files('samples')).toEqual([FIRST.key]);

  await mkdir(dirname(fileOf(FIRST)), { recursive: true });
  await writeFile(fileOf(FIRST), TOMBSTONE.bytes);
  await writeFile(at(FIRST.key), SECOND.bytes);
  for (const versions of [1, 0])
    expect(await custodian.purge(TOMBSTONE, submissionOf(FIRST), [])).toEqual({
      ...NOTHING,
      versions,
    });
  for (const path of [fileOf(FIRST), at(FIRST.key)])
    expect(await readFile(path)).toEqual(TOMBSTONE.bytes);
});

test('a purge refuses a link or a folder where a tombstone belongs', async () => {
  const key = setAsideKey(submissionOf(FIRST), sha256(FIRST.bytes));
  await mkdir(dirname(at(key)), { recursive: true });
  await symlink('/dev/null', at(key));
  await expect(custodian.purge(TOMBSTONE, submissionOf(FIRST), [])).rejects.toMatchObject({
    code: 'OBJECT_NOT_A_FILE',
    remedy: 'park',
  });
});

test('the metadata line of a tombstone is a line of an attempt, in journals and in final files', async () => {
  const found = await standing();
  await custodian.replace(TOMBSTONE, found);
  for (const journals of [2, 0]) {
    expect(await listed()).toEqual([{ key: FIRST.key, foreign: false }]);
    expect(await custodian.read(FIRST.key)).toMatchObject({
      bytes: TOMBSTONE.bytes,
      metadata: TOMBSTONE.metadata,
    });
    expect(await foldJournals(site.directory, ZURICH.site)).toBe(journals);
  }
});
