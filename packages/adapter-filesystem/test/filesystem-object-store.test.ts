import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exampleObject } from '@residency/testkit';
import type { ExampleObject } from '@residency/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { foldJournals } from '../src/candidate-journal.ts';
import { DISK_CALLS } from '../src/disk-calls.ts';
import type { DiskCalls } from '../src/disk-calls.ts';
import { FilesystemObjectStore } from '../src/filesystem-object-store.ts';
import { JOURNAL_DIRECTORY, metadataPath, objectPath } from '../src/site-layout.ts';
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
const fileOf = ({ key }: ExampleObject) => objectPath(key.slice(-64));
/** Moves all metadata into its final files. */
const fold = () => foldJournals(site.directory, ZURICH.site);

test('leaves the sealed message alone under samples, one journal of metadata and no temporary file', async () => {
  const objects = ['one', 'two', 'three'].map((name) => exampleObject(name));
  for (const object of objects) await put(object);
  const [journal = '', ...rest] = await site.files();
  expect(journal).toMatch(new RegExp(`^${JOURNAL_DIRECTORY}/[0-9a-f-]{36}$`));
  expect(rest).toEqual(['residency-site.json', ...objects.map(fileOf).sort()]);
  expect(await fold()).toBe(1);
  expect(await site.files()).toEqual([
    ...objects.map(candidatesOf).sort(),
    'residency-site.json',
    ...objects.map(fileOf).sort(),
  ]);
  for (const object of objects)
    expect(await put({ ...object, sealed: Buffer.from('x') })).toMatchObject({
      created: false,
      existing: { metadata: object.metadata },
    });
});

test('keeps files and directories for their owner only', async () => {
  const object = exampleObject('one');
  await put(object);
  const files = await site.files();
  await fold();
  await put(exampleObject('two'));
  files.push(candidatesOf(object), ...(await site.files(JOURNAL_DIRECTORY)));
  const folders = [
    '.',
    'samples',
    'metadata',
    'tmp',
    JOURNAL_DIRECTORY,
    dirname(fileOf(object)),
    dirname(candidatesOf(object)),
  ];
  const there = [...new Set(files)].filter((path) => existsSync(at(path)));
  expect(there).toHaveLength(4);
  expect(await Promise.all(there.map(mode))).toEqual(there.map(() => 0o600));
  expect(await Promise.all(folders.map(mode))).toEqual(folders.map(() => 0o700));
});

test('does not write for a duplicate, however often it comes', async () => {
  const object = exampleObject('one');
  await put(object);
  const [journal = ''] = await site.files('metadata');
  const before = await readFile(at(journal));
  await put(exampleObject('one', 1));
  expect(await readFile(at(journal))).toEqual(before);
  expect(await site.files('metadata')).toEqual([journal]);
});

test('chooses the metadata of the bytes among the lines of crashed and torn attempts', async () => {
  const object = exampleObject('one', 7);
  const lost = JSON.stringify({
    submission: object.key.slice(-64),
    'sealed-sha256': exampleObject('one').metadata.sealedSha256,
    position: 'log-1/threat.samples/0/1',
  });
  await mkdir(dirname(at(candidatesOf(object))));
  await writeFile(at(candidatesOf(object)), `\n${lost}\n[1]\nnull\n${lost.slice(0, 40)}`);
  await put(object);
  const [journal = ''] = await site.files(JOURNAL_DIRECTORY);
  await writeFile(at(journal), `\n${lost.slice(0, 30)}`, { flag: 'a' });
  for (const folded of [0, 1]) {
    if (folded > 0) expect(await fold()).toBe(1);
    expect(await put(exampleObject('one', 8))).toMatchObject({
      created: false,
      existing: { metadata: object.metadata },
    });
  }
});

test("does not take another object's metadata for a copy of its bytes", async () => {
  const [one, two] = [exampleObject('one'), exampleObject('two')];
  await put(one);
  await mkdir(dirname(at(fileOf(two))), { recursive: true });
  await cp(at(fileOf(one)), at(fileOf(two)));
  for (const _ of ['in the journal', 'folded']) {
    await expect(put(two)).rejects.toMatchObject({ code: 'METADATA_MISSING', remedy: 'park' });
    await fold();
  }
});

test('reports missing metadata if the bytes were altered, and if their metadata was deleted', async () => {
  const [altered, bare] = [exampleObject('altered'), exampleObject('bare')];
  await put(altered);
  await put(bare);
  await fold();
  await writeFile(at(fileOf(altered)), 'other bytes');
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
  await fold();
  await writeFile(
    at(candidatesOf(object)),
    `\n${JSON.stringify({ submission: object.key.slice(-64), 'sealed-sha256': object.metadata.sealedSha256 })}`,
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
  // Linux's own full device takes the metadata: the bytes must then not get their name.
  let full = true;
  const fullForMetadata: DiskCalls = {
    ...DISK_CALLS,
    open: (path, flags, fileMode) =>
      full && path.includes(JOURNAL_DIRECTORY)
        ? DISK_CALLS.open('/dev/full', 'w', fileMode)
        : DISK_CALLS.open(path, flags, fileMode),
  };
  store = new FilesystemObjectStore(site.directory, ZURICH, undefined, fullForMetadata);
  await expect(put(object)).rejects.toMatchObject({ code: 'SITE_FULL', remedy: 'retry' });
  expect(await site.files('samples')).toEqual([]);
  expect(await site.files('tmp')).toEqual([]);
  full = false;
  expect(await put(object)).toEqual({ created: true });
});

test('a write of the metadata that is cut short creates nothing and is repeated', async () => {
  const object = exampleObject('one');
  let cut = true;
  const calls: DiskCalls = {
    ...DISK_CALLS,
    write: (file, bytes) => {
      const short = cut && bytes.length < object.sealed.length;
      return DISK_CALLS.write(file, short ? bytes.subarray(0, 200) : bytes);
    },
  };
  store = new FilesystemObjectStore(site.directory, ZURICH, undefined, calls);
  await expect(put(object)).rejects.toMatchObject({ code: 'SITE_FULL', remedy: 'retry' });
  expect(await site.files('samples')).toEqual([]);
  cut = false;
  expect(await put(object)).toEqual({ created: true });
  expect(await put(exampleObject('one', 1))).toMatchObject({
    created: false,
    existing: { metadata: object.metadata },
  });
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
