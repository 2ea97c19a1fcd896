import { randomUUID } from 'node:crypto';
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeObjectMetadata, isSetAsideKey, setAsideKey, sha256 } from '@residency/contracts';
import type { CustodianSite, NewCopy } from '@residency/custodianship';
import { exampleObject, exampleTombstone } from '@residency/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { foldJournals } from '../src/candidate-journal.ts';
import type { DiskCalls } from '../src/disk-calls.ts';
import { FilesystemCustodianSite } from '../src/filesystem-custodian-site.ts';
import { FilesystemObjectStore } from '../src/filesystem-object-store.ts';
import { FilesystemSiteReader } from '../src/filesystem-site-reader.ts';
import { SITE_DIRECTORIES, objectPath } from '../src/site-layout.ts';
import { sweepTemporaries } from '../src/sweep-temporaries.ts';
import { brokenCopies, numberOfCalls } from './broken-copies.ts';
import { Killed, RecordedDisk } from './recorded-disk.ts';
import { ZURICH, temporarySite } from './temporary-site.ts';
import type { TemporarySite } from './temporary-site.ts';

let site: TemporarySite;
beforeEach(async () => {
  site = await temporarySite();
});
afterEach(() => site.remove());

function copyOf(name: string, offset: number): NewCopy {
  const { key, sealed, metadata } = exampleObject(name, offset);
  return { key, bytes: sealed, metadata };
}
const [STRANGER, RIGHT, NEW] = [copyOf('one', 1), copyOf('one', 2), copyOf('new', 3)];
const SUBMISSION = RIGHT.key.slice(-64);
const ASIDE = setAsideKey(SUBMISSION, sha256(STRANGER.bytes));

const open = (directory: string, calls?: DiskCalls): CustodianSite =>
  new FilesystemCustodianSite(directory, ZURICH, undefined, calls);

async function putStranger(directory: string, calls?: DiskCalls): Promise<void> {
  const router = new FilesystemObjectStore(directory, ZURICH, undefined, calls);
  await router.create(STRANGER.key, STRANGER.bytes, STRANGER.metadata);
  await router.flush();
}

/** A custodian's work: the right object instead of the stranger's, and one more. */
async function repair(custodian: CustodianSite): Promise<void> {
  const found = await custodian.read(RIGHT.key);
  if (found !== undefined && !found.bytes.equals(RIGHT.bytes)) {
    await custodian.setAside(SUBMISSION, found);
    expect(await custodian.replace(RIGHT, found)).toEqual({ written: true });
  }
  await custodian.read(NEW.key);
  await custodian.create(NEW);
  await custodian.flush();
}

/** Each object is whole and has its metadata; the stranger is at its key or set aside. */
async function requireSound(directory: string): Promise<void> {
  const reader = new FilesystemSiteReader(directory, ZURICH.site);
  for await (const { key, foreign } of reader.list()) {
    expect({ key, foreign }).toEqual({ key, foreign: false });
    const found = await reader.read(key);
    expect([STRANGER, RIGHT, NEW].map(({ bytes }) => bytes)).toContainEqual(found?.bytes);
    // Its metadata has a file of its own, which readers do not need.
    if (isSetAsideKey(key)) continue;
    expect(found?.metadata).toMatchObject({
      'sealed-sha256': sha256(found?.bytes ?? Buffer.alloc(0)),
    });
  }
  if ((await reader.read(RIGHT.key))?.bytes.equals(STRANGER.bytes) === true) return;
  expect(await readFile(join(directory, ASIDE))).toEqual(STRANGER.bytes);
  expect(JSON.parse(await readFile(join(directory, `${ASIDE}.json`), 'utf8'))).toEqual(
    encodeObjectMetadata(STRANGER.metadata),
  );
}

async function requireRepaired(directory: string): Promise<void> {
  const custodian = open(directory);
  for (const { key, bytes, metadata } of [RIGHT, NEW])
    expect(await custodian.read(key)).toMatchObject({ bytes, metadata });
  await requireSound(directory);
}

test('a custodian that is killed before or after any call loses no bytes, and the next one completes its work', async () => {
  await putStranger(site.directory);
  const calls = await numberOfCalls(site.directory, (directory, calls) =>
    repair(open(directory, calls)),
  );
  expect(calls).toBeGreaterThan(20);
  for await (const { directory, disk } of brokenCopies(site.directory, calls, 'killed')) {
    await expect(repair(open(directory, disk.calls))).rejects.toThrow(Killed);
    await requireSound(directory);

    await sweepTemporaries(directory, ZURICH.site);
    await foldJournals(directory, ZURICH.site);
    await repair(open(directory));
    await requireRepaired(directory);
    expect(await readdir(join(directory, 'tmp'))).toEqual([]);
  }
});

test('a call that fails, with or without its effect, leaves the work to the next attempt of the same custodian', async () => {
  await putStranger(site.directory);
  const calls = await numberOfCalls(site.directory, (directory, calls) =>
    repair(open(directory, calls)),
  );
  let broke = 0;
  for await (const { directory, disk } of brokenCopies(site.directory, calls, 'failed')) {
    const custodian = open(directory, disk.calls);
    const attempted = await Promise.allSettled([repair(custodian)]);
    expect(attempted).toMatchObject(
      disk.broke()
        ? [{ status: 'rejected', reason: { code: 'SITE_UNREACHABLE', remedy: 'retry' } }]
        : [{ status: 'fulfilled' }],
    );
    broke += disk.broke() ? 1 : 0;
    await requireSound(directory);
    await repair(custodian);
    await requireRepaired(directory);
  }
  expect(broke).toBeGreaterThan(calls);
});

test('a power failure at any moment leaves the stranger at its key or set aside, and what was flushed', async () => {
  let checks = 0;
  const disk: RecordedDisk = new RecordedDisk(site.directory, ['.', ...SITE_DIRECTORIES], () => {
    for (const { path, content, whole } of disk.possible('samples')) {
      if (path.slice(-64).length < 64 || !path.includes(SUBMISSION)) continue;
      const state = { whole, metadata: disk.hasCandidate(SUBMISSION, sha256(content)) };
      expect({ ...state, trace: disk.trace.slice(-1) }).toMatchObject({
        whole: true,
        metadata: true,
      });
      if (!content.equals(RIGHT.bytes)) continue;
      checks += 1;
      expect([ASIDE, `${ASIDE}.json`].map((aside) => disk.isDurable(aside))).toEqual([true, true]);
    }
  });
  await putStranger(site.directory, disk.calls);
  await repair(open(site.directory, disk.calls));
  for (const { key, bytes } of [RIGHT, NEW]) {
    expect(disk.isDurable(objectPath(key.slice(-64)))).toBe(true);
    expect(disk.hasCandidate(key.slice(-64), sha256(bytes))).toBe(true);
  }
  expect(checks).toBeGreaterThan(5);
});

test('an object that a crashed custodian created is durable once its successor read and flushed it', async () => {
  const disk = new RecordedDisk(site.directory, ['.', ...SITE_DIRECTORIES]);
  await open(site.directory, disk.calls).create(NEW);
  expect(disk.isDurable(objectPath(NEW.key.slice(-64)))).toBe(false);
  const next = open(site.directory, disk.calls);
  await next.read(NEW.key);
  await next.flush();
  expect(disk.isDurable(objectPath(NEW.key.slice(-64)))).toBe(true);
});

test('bytes that are set aside already are not written again', async () => {
  await putStranger(site.directory);
  const disk = new RecordedDisk(site.directory, ['.', ...SITE_DIRECTORIES]);
  const custodian = open(site.directory, disk.calls);
  const { bytes } = STRANGER;
  const found = { bytes: Buffer.from(bytes), tag: '' };
  await custodian.setAside(SUBMISSION, found);
  const before = disk.trace.length;
  await custodian.setAside(SUBMISSION, found);
  expect(disk.trace.slice(before).filter((call) => call.startsWith('write'))).toEqual([]);
});

const TOMBSTONE = exampleTombstone('one');
/** Of bytes that a custodian read before, and did not set aside. */
const READ_EARLIER = sha256(NEW.bytes);

/** The stranger's object with the right one set aside, and a file that a crash left. */
async function putRemains(directory: string): Promise<void> {
  await putStranger(directory);
  const custodian = open(directory);
  await custodian.setAside(SUBMISSION, { ...RIGHT, bytes: Buffer.from(RIGHT.bytes), tag: '' });
  await custodian.flush();
  await writeFile(join(directory, 'tmp', randomUUID()), `${SUBMISSION} and the rest`);
}

async function erase(custodian: CustodianSite): Promise<void> {
  const found = await custodian.read(TOMBSTONE.key);
  const isBuried = found?.bytes.equals(TOMBSTONE.bytes) === true;
  if (found !== undefined && !isBuried)
    expect(await custodian.replace(TOMBSTONE, found)).toEqual({ written: true });
  await custodian.purge(TOMBSTONE, SUBMISSION, [READ_EARLIER]);
  await custodian.flush();
}

async function requireErased(directory: string): Promise<void> {
  const custodian = open(directory);
  const { bytes, metadata } = TOMBSTONE;
  expect(await custodian.read(TOMBSTONE.key)).toMatchObject({ bytes, metadata });
  const aside = [RIGHT, NEW].map((copy) => setAsideKey(SUBMISSION, sha256(copy.bytes)));
  for (const key of aside) expect(await readFile(join(directory, key))).toEqual(bytes);
  expect((await readdir(join(directory, 'damaged', SUBMISSION))).toSorted()).toEqual(
    aside.map((key) => key.slice(-64)).toSorted(),
  );
  await sweepTemporaries(directory, ZURICH.site);
  for (const path of await readdir(directory, { recursive: true, withFileTypes: true }))
    if (path.isFile())
      for (const gone of [STRANGER.bytes, RIGHT.bytes])
        expect((await readFile(join(path.parentPath, path.name))).includes(gone)).toBe(false);
}

test.each(['killed', 'failed'] as const)(
  'an erasure whose call is %s, with or without its effect, is completed by the next attempt',
  async (kind) => {
    await putRemains(site.directory);
    const calls = await numberOfCalls(site.directory, (directory, calls) =>
      erase(open(directory, calls)),
    );
    expect(calls).toBeGreaterThan(15);
    for await (const { directory, disk } of brokenCopies(site.directory, calls, kind)) {
      const custodian = open(directory, disk.calls);
      const [attempted] = await Promise.allSettled([erase(custodian)]);
      if (attempted.status === 'rejected' && kind === 'killed')
        expect(attempted.reason).toBeInstanceOf(Killed);
      else if (disk.broke()) expect(attempted).toMatchObject({ reason: { remedy: 'retry' } });
      await erase(kind === 'killed' ? open(directory) : custodian);
      await requireErased(directory);
    }
  },
);

test('what a purge put and removed survives a power failure after the flush', async () => {
  await putRemains(site.directory);
  const disk = new RecordedDisk(site.directory, [
    '.',
    ...SITE_DIRECTORIES,
    'damaged',
    `damaged/${SUBMISSION}`,
  ]);
  await erase(open(site.directory, disk.calls));
  for (const copy of [RIGHT, NEW])
    expect(disk.isDurable(setAsideKey(SUBMISSION, sha256(copy.bytes)))).toBe(true);
  for (const folder of ['tmp', `damaged/${SUBMISSION}`])
    expect(disk.trace.lastIndexOf(`sync ${folder}`)).toBeGreaterThan(
      disk.trace.findLastIndex((call) => call.startsWith(`unlink ${folder}/`)),
    );
});

test('a tombstone that a crashed custodian put for bytes that nobody kept is durable once its successor flushed', async () => {
  const disk = new RecordedDisk(site.directory, ['.', ...SITE_DIRECTORIES]);
  const reserved = setAsideKey(SUBMISSION, READ_EARLIER);
  await open(site.directory, disk.calls).purge(TOMBSTONE, SUBMISSION, [READ_EARLIER]);
  expect(disk.isDurable(reserved)).toBe(false);
  const next = open(site.directory, disk.calls);
  await next.purge(TOMBSTONE, SUBMISSION, [READ_EARLIER]);
  await next.flush();
  expect(disk.isDurable(reserved)).toBe(true);
});
