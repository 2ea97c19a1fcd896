import { mkdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeObjectMetadata, objectKey } from '@residency/contracts';
import { exampleObject } from '@residency/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FilesystemObjectStore } from '../src/filesystem-object-store.ts';
import { FilesystemSiteReader } from '../src/filesystem-site-reader.ts';
import { metadataPath } from '../src/site-layout.ts';
import { ZURICH, temporarySite } from './temporary-site.ts';
import type { TemporarySite } from './temporary-site.ts';

let site: TemporarySite;
let store: FilesystemObjectStore;
let reader: FilesystemSiteReader;
beforeEach(async () => {
  site = await temporarySite();
  store = new FilesystemObjectStore(site.directory, ZURICH.site);
  reader = new FilesystemSiteReader(site.directory, ZURICH.site);
});
afterEach(() => site.remove());

const at = (path: string) => join(site.directory, path);
const listed = async () => (await Array.fromAsync(reader.list())).sort();

test('lists every object and gives each with its metadata', async () => {
  const objects = Array.from({ length: 20 }, (_, index) => exampleObject(`listed-${index}`, index));
  for (const { key, sealed, metadata } of objects) await store.create(key, sealed, metadata);
  expect(await listed()).toEqual(objects.map(({ key }) => key).sort());
  for (const { key, sealed, metadata } of objects) {
    expect(await reader.read(key)).toEqual({ bytes: sealed, metadata: encodeObjectMetadata(metadata) });
  }
});

test('names whatever does not belong in a site, and no housekeeping', async () => {
  const { key, sealed, metadata } = exampleObject('one');
  await store.create(key, sealed, metadata);
  await mkdir(at('samples/empty'));
  await mkdir(at('metadata/zz'));
  await mkdir(at('elsewhere/deep'), { recursive: true });
  const strange = ['elsewhere/deep/copy', 'metadata/zz/hidden', 'note.txt', 'samples/stray', 'tmp/named-by-hand'];
  for (const path of strange) await writeFile(at(path), 'x');
  await symlink('/dev/null', at(`metadata/zz/${'0'.repeat(64)}`));
  await writeFile(at('tmp/0f8fad5b-d9cb-469f-a165-70867728950e'), 'being written');
  expect(await listed()).toEqual([key, ...strange, `metadata/zz/${'0'.repeat(64)}`].sort());
  expect(await reader.read('note.txt')).toEqual({ bytes: Buffer.from('x') });
});

test('gives altered bytes without metadata: no candidate speaks of them', async () => {
  const { key, sealed, metadata } = exampleObject('one');
  await store.create(key, sealed, metadata);
  await writeFile(at(key), 'altered');
  expect(await reader.read(key)).toEqual({ bytes: Buffer.from('altered') });
  await writeFile(at(key), sealed);
  await rm(at(metadataPath(key.slice(-64))));
  expect(await reader.read(key)).toEqual({ bytes: sealed });
});

test.each(['../zrh-1/residency-site.json', '/etc/hostname', 'samples/../residency-site.json', '', 'samples', 'a\0b', 'x'.repeat(5_000), objectKey('0'.repeat(64)), 'residency-site.json/x'])('finds nothing under a key that leads nowhere or out of the site (%#)', async (key) => {
  expect(await reader.read(key)).toBeUndefined();
});

test('answers a site that vanished as unreachable, not as empty', async () => {
  await rename(site.directory, `${site.directory}.away`);
  await expect(listed()).rejects.toMatchObject({ code: 'SITE_UNREACHABLE', remedy: 'retry' });
  await expect(reader.read(objectKey('0'.repeat(64)))).rejects.toMatchObject({ code: 'SITE_UNREACHABLE', remedy: 'retry' });
});
