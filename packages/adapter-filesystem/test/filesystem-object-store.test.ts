import { chmod, cp, mkdir, readFile, rename, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { exampleObject } from '@residency/testkit';
import type { ExampleObject } from '@residency/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FilesystemObjectStore } from '../src/filesystem-object-store.ts';
import { metadataPath } from '../src/site-layout.ts';
import { ZURICH, temporarySite } from './temporary-site.ts';
import type { TemporarySite } from './temporary-site.ts';

let site: TemporarySite;
let store: FilesystemObjectStore;
beforeEach(async () => {
  site = await temporarySite();
  store = new FilesystemObjectStore(site.directory, ZURICH);
});
afterEach(() => site.remove());

const put = ({ key, sealed, metadata }: ExampleObject) => store.create(key, sealed, metadata);
const at = (path: string) => join(site.directory, path);
const mode = async (path: string) => (await stat(at(path))).mode & 0o777;
const candidatesOf = ({ key }: ExampleObject) => metadataPath(key.slice(-64));

test('leaves the sealed message alone under samples, one metadata file and no temporary file', async () => {
  const object = exampleObject('one');
  await put(object);
  expect(await site.files()).toEqual([candidatesOf(object), 'residency-site.json', object.key]);
});

test('keeps files and directories for their owner only', async () => {
  const object = exampleObject('one');
  await put(object);
  expect(
    await Promise.all([object.key, candidatesOf(object), 'residency-site.json'].map(mode)),
  ).toEqual([0o600, 0o600, 0o600]);
  expect(
    await Promise.all(
      ['.', 'samples', 'metadata', 'tmp', object.key.slice(0, 10), object.key.slice(0, 13)].map(
        mode,
      ),
    ),
  ).toEqual(Array.from({ length: 6 }, () => 0o700));
});

test('does not write for a duplicate, however often it comes', async () => {
  const object = exampleObject('one');
  await put(object);
  const before = await readFile(at(candidatesOf(object)));
  await put(exampleObject('one', 1));
  expect(await readFile(at(candidatesOf(object)))).toEqual(before);
});

test('chooses the metadata of the bytes among the lines of crashed and torn attempts', async () => {
  const object = exampleObject('one', 7);
  const lost = JSON.stringify({
    'sealed-sha256': exampleObject('one').metadata.sealedSha256,
    position: 'log-1/threat.samples/0/1',
  });
  await mkdir(at('metadata/'.concat(object.key.slice(8, 10))));
  await writeFile(at(candidatesOf(object)), `\n${lost}\n[1]\nnull\n${lost.slice(0, 40)}`);
  await put(object);
  await writeFile(at(candidatesOf(object)), `\n${lost.slice(0, 30)}`, { flag: 'a' });
  expect(await put(exampleObject('one', 8))).toMatchObject({
    created: false,
    existing: { metadata: object.metadata },
  });
});

test('reports missing metadata if the bytes were altered, and if their metadata was deleted', async () => {
  const [altered, bare] = [exampleObject('altered'), exampleObject('bare')];
  await put(altered);
  await put(bare);
  await writeFile(at(altered.key), 'other bytes');
  await rm(at(candidatesOf(bare)));
  for (const { key } of [altered, bare]) {
    await expect(store.create(key, Buffer.from('x'), altered.metadata)).rejects.toMatchObject({
      code: 'METADATA_MISSING',
      remedy: 'park',
      message: expect.stringContaining(key),
    });
  }
});

test('refuses metadata that no router wrote', async () => {
  const object = exampleObject('one');
  await put(object);
  await writeFile(
    at(candidatesOf(object)),
    JSON.stringify({ 'sealed-sha256': object.metadata.sealedSha256 }),
  );
  await expect(put(exampleObject('one'))).rejects.toMatchObject({
    code: 'INVALID_METADATA',
    remedy: 'park',
  });
});

test.each([
  'samples/aa/../../../escape',
  'samples/aa/bb/cc',
  '',
  '../x',
  `samples/00/00/${'f'.repeat(64)}`,
])('refuses the key "%s", which is no object key', async (key) => {
  await expect(
    store.create(key, Buffer.from('x'), exampleObject('one').metadata),
  ).rejects.toMatchObject({ code: 'INVALID_OBJECT_KEY', remedy: 'stop' });
  expect(await site.files()).toEqual(['residency-site.json']);
});

test('never recreates a missing site: the folder under an unmounted disk stays empty', async () => {
  await rename(site.directory, `${site.directory}.away`);
  await expect(put(exampleObject('one'))).rejects.toMatchObject({
    code: 'SITE_UNREACHABLE',
    remedy: 'retry',
  });
  await expect(stat(site.directory)).rejects.toMatchObject({ code: 'ENOENT' });
  await mkdir(site.directory);
  await expect(put(exampleObject('one'))).rejects.toMatchObject({
    code: 'SITE_UNREACHABLE',
    remedy: 'retry',
  });
  expect(await site.files()).toEqual([]);
});

test('answers a file where its directory should be as unreachable', async () => {
  await rm(site.directory, { recursive: true });
  await writeFile(site.directory, '');
  await expect(put(exampleObject('one'))).rejects.toMatchObject({
    code: 'SITE_UNREACHABLE',
    message: expect.stringContaining('ENOTDIR'),
  });
});

test('answers a full disk with SITE_FULL, creates nothing, leaves no temporary file, and creates once there is room', async () => {
  const object = exampleObject('one');
  await mkdir(at('metadata/'.concat(object.key.slice(8, 10))));
  await symlink('/dev/full', at(candidatesOf(object)));
  // Linux's own full device takes the metadata: the bytes must then not get their name.
  await expect(put(object)).rejects.toMatchObject({ code: 'SITE_FULL', remedy: 'retry' });
  expect(await site.files('samples')).toEqual([]);
  expect(await site.files('tmp')).toEqual([]);
  await rm(at(candidatesOf(object)));
  expect(await put(object)).toEqual({ created: true });
});

test('repeats no argument in an error', async () => {
  await rm(at('tmp'), { recursive: true });
  const error = await put(exampleObject('one')).catch((caught: unknown) => caught);
  expect(String(error)).not.toContain(site.directory);
});

test('continues in a copy of the site', async () => {
  const object = exampleObject('one');
  await put(object);
  await cp(site.directory, `${site.directory}.copy`, { recursive: true });
  const copy = new FilesystemObjectStore(`${site.directory}.copy`, ZURICH);
  expect(
    await copy.create(object.key, Buffer.from('x'), exampleObject('one', 1).metadata),
  ).toMatchObject({ created: false, existing: { metadata: object.metadata } });
});

test('fails a flush while one of its directories is missing, and succeeds once it is back', async () => {
  const object = exampleObject('one');
  await put(object);
  await rename(at('samples'), at('away'));
  await expect(store.flush()).rejects.toMatchObject({ code: 'SITE_UNREACHABLE', remedy: 'retry' });
  await expect(store.flush()).rejects.toMatchObject({ code: 'SITE_UNREACHABLE' });
  await rename(at('away'), at('samples'));
  await expect(store.flush()).resolves.toBeUndefined();
});

test('creates again in a directory that was removed and recreated', async () => {
  const object = exampleObject('one');
  await put(object);
  await store.flush();
  await rm(at('samples'), { recursive: true });
  await mkdir(at('samples'));
  await chmod(at('samples'), 0o700);
  expect(await put(object)).toEqual({ created: true });
  await expect(store.flush()).resolves.toBeUndefined();
});
