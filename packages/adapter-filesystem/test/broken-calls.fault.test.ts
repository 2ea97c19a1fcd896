import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { encodeObjectMetadata, sha256 } from '@residency/contracts';
import { exampleObject } from '@residency/testkit';
import type { ExampleObject } from '@residency/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { foldJournals } from '../src/candidate-journal.ts';
import type { DiskCalls } from '../src/disk-calls.ts';
import { FilesystemObjectStore } from '../src/filesystem-object-store.ts';
import { FilesystemSiteReader } from '../src/filesystem-site-reader.ts';
import { sweepTemporaries } from '../src/sweep-temporaries.ts';
import { brokenCopies, numberOfCalls } from './broken-copies.ts';
import { Killed } from './recorded-disk.ts';
import { ZURICH, temporarySite } from './temporary-site.ts';
import type { TemporarySite } from './temporary-site.ts';

let site: TemporarySite;
beforeEach(async () => {
  site = await temporarySite();
});
afterEach(() => site.remove());

const [STANDING, NEW] = [exampleObject('standing'), exampleObject('new')];
const SECOND_ATTEMPTS = ['standing', 'new'].map((name) => exampleObject(name, 9));
const put = (store: FilesystemObjectStore, { key, sealed, metadata }: ExampleObject) =>
  store.create(key, sealed, metadata);

/** A router's life: it folds what was left, creates, meets a duplicate and flushes. */
async function live(directory: string, calls: DiskCalls): Promise<void> {
  await foldJournals(directory, ZURICH.site, calls);
  const store = new FilesystemObjectStore(directory, ZURICH, undefined, calls);
  await put(store, NEW);
  await put(store, exampleObject('standing', 5));
  await store.flush();
}

/** A site in which an earlier router left its journal. */
async function templateSite(): Promise<void> {
  await put(new FilesystemObjectStore(site.directory, ZURICH), STANDING);
}

/** Each object is whole, has its own metadata, and nothing else is in the site. */
async function requireSound(directory: string): Promise<void> {
  const reader = new FilesystemSiteReader(directory, ZURICH.site);
  for await (const { key, foreign } of reader.list()) {
    expect({ key, foreign }).toEqual({ key, foreign: false });
    const found = await reader.read(key);
    expect(found?.metadata).toMatchObject({
      'sealed-sha256': sha256(found?.bytes ?? Buffer.alloc(0)),
    });
    expect(
      [STANDING, NEW, ...SECOND_ATTEMPTS].map(({ metadata }) => encodeObjectMetadata(metadata)),
    ).toContainEqual(found?.metadata);
  }
}

test('a router that is killed before or after any call leaves whole objects, and the next one cleans up and creates the rest', async () => {
  await templateSite();
  const calls = await numberOfCalls(site.directory, live);
  expect(calls).toBeGreaterThan(20);
  for await (const { directory, disk } of brokenCopies(site.directory, calls, 'killed')) {
    await expect(live(directory, disk.calls)).rejects.toThrow(Killed);
    await requireSound(directory);

    await sweepTemporaries(directory, ZURICH.site);
    await foldJournals(directory, ZURICH.site);
    expect(await readdir(join(directory, 'tmp'))).toEqual([]);
    expect(await readdir(join(directory, 'metadata/journals'))).toEqual([]);
    const next = new FilesystemObjectStore(directory, ZURICH);
    const [standing, created] = await Promise.all(SECOND_ATTEMPTS.map((one) => put(next, one)));
    await next.flush();
    expect(standing).toMatchObject({ created: false, existing: { metadata: STANDING.metadata } });
    if (created?.created === false) expect(created.existing.metadata).toEqual(NEW.metadata);
    await requireSound(directory);
  }
});

test('a call that fails, with or without its effect, leaves an object to the next attempt of the same router', async () => {
  await templateSite();
  const calls = await numberOfCalls(site.directory, live);
  let broke = 0;
  for await (const { directory, disk } of brokenCopies(site.directory, calls, 'failed')) {
    const store = new FilesystemObjectStore(directory, ZURICH, undefined, disk.calls);
    const attempt = async (): Promise<void> => {
      await foldJournals(directory, ZURICH.site, disk.calls);
      await put(store, NEW);
      await put(store, exampleObject('standing', 5));
      await store.flush();
    };
    const attempted = await Promise.allSettled([attempt()]);
    // The first link into a folder fails by itself, before it could be broken.
    expect(attempted).toMatchObject(
      disk.broke()
        ? [{ status: 'rejected', reason: { code: 'SITE_UNREACHABLE', remedy: 'retry' } }]
        : [{ status: 'fulfilled' }],
    );
    broke += disk.broke() ? 1 : 0;
    await attempt();
    expect(await put(store, SECOND_ATTEMPTS[1] ?? NEW)).toMatchObject({
      created: false,
      existing: { metadata: NEW.metadata },
    });
    await requireSound(directory);
  }
  // The link that found its folder missing.
  expect(broke).toBe(2 * calls - 1);
});
