import { cp, mkdir, readdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { exampleObject } from '@residency/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FilesystemObjectStore } from '../src/filesystem-object-store.ts';
import { initSite } from '../src/site-marker.ts';
import { ZURICH, temporarySite } from './temporary-site.ts';
import type { TemporarySite } from './temporary-site.ts';

const MOSCOW = { region: 'moscow', site: 'mow-1' };
let site: TemporarySite;
let other: string;
let store: FilesystemObjectStore;
beforeEach(async () => {
  site = await temporarySite();
  other = join(site.directory, '..', MOSCOW.site);
  await initSite(other, MOSCOW);
  // The clock stands still: no look is due.
  store = new FilesystemObjectStore(site.directory, ZURICH, () => 0);
  await put('first');
});
afterEach(() => site.remove());

const put = (name: string) => {
  const { key, sealed, metadata } = exampleObject(name);
  return store.create(key, sealed, metadata);
};
async function swap(one: string, another: string): Promise<void> {
  await rename(one, `${one}.aside`);
  await rename(another, one);
  await rename(`${one}.aside`, another);
}
const holds = async (directory: string) =>
  (await readdir(directory, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ name }) => name);

test("two sites whose folders are swapped get none of each other's objects: the next write fails and names the wrong marker", async () => {
  await swap(site.directory, other);
  for (const attempt of await Promise.allSettled(['a', 'b', 'c', 'd', 'e'].map(put))) {
    expect(attempt).toMatchObject({
      status: 'rejected',
      reason: {
        code: 'SITE_MARKER_MISMATCH',
        remedy: 'stop',
        message: expect.stringContaining('mow-1'),
      },
    });
  }
  expect(await holds(site.directory)).toEqual(['residency-site.json']);
  // What it had flushed elsewhere is not called durable either.
  await expect(store.flush()).rejects.toMatchObject({ code: 'SITE_MARKER_MISMATCH' });
  await swap(site.directory, other);
  expect(await put('a')).toMatchObject({ created: true });
});

test('a folder that becomes a symbolic link to another site is that other site', async () => {
  await rename(site.directory, `${site.directory}.aside`);
  await symlink(other, site.directory);
  await expect(put('second')).rejects.toMatchObject({
    code: 'SITE_MARKER_MISMATCH',
    remedy: 'stop',
  });
  expect(await holds(other)).toEqual(['residency-site.json']);
});

test('a folder that moves elsewhere behind a symbolic link is still the site', async () => {
  await rename(site.directory, `${site.directory}.moved`);
  await symlink(`${site.directory}.moved`, site.directory);
  expect(await put('second')).toMatchObject({ created: true });
  await store.flush();
  // As is a copy of it in its place.
  await rm(site.directory);
  await cp(`${site.directory}.moved`, site.directory, { recursive: true });
  expect(await put('second')).toMatchObject({ created: false });
  await store.flush();
});

test('samples/ of another site in place of its own stops the service, although the marker is right', async () => {
  await mkdir(join(other, 'samples/ab'));
  await swap(join(site.directory, 'samples'), join(other, 'samples'));
  await expect(put('second')).rejects.toMatchObject({ code: 'SITE_REPLACED', remedy: 'stop' });
  expect(await holds(join(site.directory, 'samples'))).toEqual([]);
});

test.each(['samples', 'metadata', 'tmp'])(
  'a symbolic link in place of %s/ is not followed',
  async (name) => {
    const fresh = new FilesystemObjectStore(site.directory, ZURICH);
    await rename(join(site.directory, name), join(site.directory, '..', 'aside'));
    await symlink(join(other, name), join(site.directory, name));
    const { key, sealed, metadata } = exampleObject('second');
    await expect(fresh.create(key, sealed, metadata)).rejects.toMatchObject({
      code: 'SITE_UNREACHABLE',
      remedy: 'retry',
      message: expect.stringContaining(`${name}/`),
    });
    expect(await holds(other)).toEqual(['residency-site.json']);
  },
);
