import { execFileSync } from 'node:child_process';
import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { encodeObjectMetadata, objectKey, setAsideKey } from '@residency/contracts';
import { exampleObject } from '@residency/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FilesystemObjectStore } from '../src/filesystem-object-store.ts';
import { FilesystemSiteReader } from '../src/filesystem-site-reader.ts';
import { foldJournals } from '../src/candidate-journal.ts';
import { earlierMetadataPath, metadataPath, objectPath } from '../src/site-layout.ts';
import { ZURICH, temporarySite } from './temporary-site.ts';
import type { TemporarySite } from './temporary-site.ts';

let site: TemporarySite;
let store: FilesystemObjectStore;
let reader: FilesystemSiteReader;
beforeEach(async () => {
  site = await temporarySite();
  store = new FilesystemObjectStore(site.directory, ZURICH);
  reader = new FilesystemSiteReader(site.directory, ZURICH.site);
});
afterEach(() => site.remove());

const at = (path: string) => join(site.directory, path);
const fileOf = (key: string) => at(objectPath(key.slice(-64)));
const listed = async () => (await Array.fromAsync(reader.list())).map(({ key }) => key).sort();

test('lists every object and returns each with its metadata', async () => {
  const objects = Array.from({ length: 20 }, (_, index) => exampleObject(`listed-${index}`, index));
  for (const { key, sealed, metadata } of objects) await store.create(key, sealed, metadata);
  for (const journals of [1, 0]) {
    expect(await listed()).toEqual(objects.map(({ key }) => key).sort());
    for (const { key, sealed, metadata } of objects) {
      expect(await reader.read(key)).toEqual({
        bytes: sealed,
        metadata: encodeObjectMetadata(metadata),
      });
    }
    expect(await foldJournals(site.directory, ZURICH.site)).toBe(journals);
  }
});

test('names every foreign entry in a site, and no housekeeping file', async () => {
  const { key, sealed, metadata } = exampleObject('one');
  await store.create(key, sealed, metadata);
  await mkdir(at('samples/empty'));
  await mkdir(at('metadata/zz'));
  await mkdir(at('elsewhere/deep'), { recursive: true });
  const strange = [
    'elsewhere/deep/copy',
    'metadata/zz/hidden',
    'note.txt',
    'samples/stray',
    'tmp/named-by-hand',
  ];
  for (const path of strange) await writeFile(at(path), 'x');
  await symlink('/dev/null', at(`metadata/zz/${'0'.repeat(64)}`));
  await writeFile(at('tmp/0f8fad5b-d9cb-469f-a165-70867728950e'), 'being written');
  expect(await listed()).toEqual([key, ...strange, `metadata/zz/${'0'.repeat(64)}`].sort());
  expect(await reader.read('note.txt')).toEqual({ bytes: Buffer.from('x') });
});

test('names a metadata file with foreign content, and not a line of an attempt without its object', async () => {
  const { sealed, metadata } = exampleObject('one');
  const line = `\n${JSON.stringify(encodeObjectMetadata(metadata))}`;
  const contents: readonly (readonly [content: Uint8Array | string, foreign: boolean])[] = [
    [sealed, true],
    ['{}', true],
    [`${line}\nhidden`, true],
    [line.repeat(20_000), true],
    [`${line}\n{"position":"${'x'.repeat(2_000)}`, true],
    [`${line}${line}`, false],
    [line.slice(0, 9), false],
    [`${line.slice(0, 40)}${line}`, false],
  ];
  const paths = contents.map((_, index) => earlierMetadataPath(`${index}`.repeat(64)));
  for (const [index, [content]] of contents.entries()) {
    await mkdir(dirname(at(paths[index] ?? '')), { recursive: true });
    await writeFile(at(paths[index] ?? ''), content);
  }
  expect(await listed()).toEqual(paths.filter((_, index) => contents[index]?.[1]));
});

test('names temporary files on request', async () => {
  const { sealed } = exampleObject('one');
  await writeFile(at('tmp/0f8fad5b-d9cb-469f-a165-70867728950e'), sealed);
  expect([await listed(), await reader.temporaries()]).toEqual([
    [],
    [{ key: 'tmp/0f8fad5b-d9cb-469f-a165-70867728950e', foreign: true }],
  ]);
});

test('bytes that a custodian set aside are not foreign; a link in their place is', async () => {
  const [kept, link] = ['a', 'b'].map((digit) => setAsideKey(digit.repeat(64), '0'.repeat(64)));
  for (const path of [kept, link]) {
    await mkdir(dirname(at(path ?? '')), { recursive: true });
    await writeFile(at(path ?? ''), 'x');
  }
  await rm(at(link ?? ''));
  await symlink(at(kept ?? ''), at(link ?? ''));
  expect(
    (await Array.fromAsync(reader.list())).toSorted((a, b) => (a.key < b.key ? -1 : 1)),
  ).toEqual([
    { key: kept, foreign: false },
    { key: link, foreign: true },
  ]);
});

test('an object that was replaced by a link or a pipe is foreign', async () => {
  const [one, two] = [exampleObject('one', 1), exampleObject('two', 2)];
  for (const { key, sealed, metadata } of [one, two]) await store.create(key, sealed, metadata);
  await rename(fileOf(one.key), `${site.directory}.moved`);
  await symlink(`${site.directory}.moved`, fileOf(one.key));
  await rm(fileOf(two.key));
  execFileSync('mkfifo', [fileOf(two.key)]);
  try {
    expect(
      (await Array.fromAsync(reader.list())).toSorted((a, b) => a.key.localeCompare(b.key)),
    ).toEqual([one.key, two.key].sort().map((key) => ({ key, foreign: true })));
    for (const { key, sealed, metadata } of [one, two]) {
      expect(await reader.read(key)).toBeUndefined();
      await expect(store.create(key, sealed, metadata)).rejects.toMatchObject({
        code: 'METADATA_MISSING',
        remedy: 'park',
      });
    }
  } finally {
    await rm(`${site.directory}.moved`);
  }
});

test('returns altered bytes without metadata, because no candidate matches them', async () => {
  const { key, sealed, metadata } = exampleObject('one');
  await store.create(key, sealed, metadata);
  await foldJournals(site.directory, ZURICH.site);
  await writeFile(fileOf(key), 'altered');
  expect(await reader.read(key)).toEqual({ bytes: Buffer.from('altered') });
  await writeFile(fileOf(key), sealed);
  await rm(at(metadataPath(key.slice(-64))));
  expect(await reader.read(key)).toEqual({ bytes: sealed });
});

test.each([
  '../zrh-1/residency-site.json',
  '/etc/hostname',
  'samples/../residency-site.json',
  '',
  'samples',
  'a\0b',
  'x'.repeat(5_000),
  objectKey('0'.repeat(64)),
  'residency-site.json/x',
])('finds nothing under a key that leads nowhere or out of the site (%#)', async (key) => {
  expect(await reader.read(key)).toBeUndefined();
});

test('reports a missing site as unreachable, not as empty', async () => {
  await rename(site.directory, `${site.directory}.away`);
  await expect(listed()).rejects.toMatchObject({ code: 'SITE_UNREACHABLE', remedy: 'retry' });
  await expect(reader.read(objectKey('0'.repeat(64)))).rejects.toMatchObject({
    code: 'SITE_UNREACHABLE',
    remedy: 'retry',
  });
});
