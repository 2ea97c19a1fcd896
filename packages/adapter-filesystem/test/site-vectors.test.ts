import { cp, readFile, readdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { decodeObjectMetadata } from '@residency/contracts';
import { exampleObject } from '@residency/testkit';
import { expect, onTestFinished, test } from 'vitest';
import { foldJournals } from '../src/candidate-journal.ts';
import { FilesystemObjectStore } from '../src/filesystem-object-store.ts';
import { FilesystemSiteReader } from '../src/filesystem-site-reader.ts';
import { initSite } from '../src/site-marker.ts';
import { sweepTemporaries } from '../src/sweep-temporaries.ts';
import { ZURICH, temporarySite } from './temporary-site.ts';
import type { TemporarySite } from './temporary-site.ts';

interface Expected {
  readonly key: string;
  readonly metadata: Readonly<Record<string, string>>;
}

const vector = (name: string) =>
  fileURLToPath(new URL(`../../../test/vectors/sites/${name}`, import.meta.url));
const expected = async (name: string): Promise<readonly Expected[]> =>
  JSON.parse(await readFile(vector(`${name}.json`), 'utf8')) as readonly Expected[];

/** A site that earlier versions wrote, one after the other, and this version continues. */
async function continued(...versions: readonly string[]): Promise<TemporarySite> {
  const site = await temporarySite();
  onTestFinished(() => site.remove());
  for (const version of versions) await cp(vector(version), site.directory, { recursive: true });
  await initSite(site.directory, ZURICH);
  return site;
}

async function requireFound(directory: string, objects: readonly Expected[]): Promise<void> {
  const reader = new FilesystemSiteReader(directory, ZURICH.site);
  const listed = await Array.fromAsync(reader.list());
  expect(listed.toSorted((a, b) => a.key.localeCompare(b.key))).toEqual(
    objects
      .map(({ key }) => ({ key, foreign: false }))
      .toSorted((a, b) => a.key.localeCompare(b.key)),
  );
  for (const { key, metadata } of objects)
    expect(await reader.read(key)).toMatchObject({ metadata });
}

test('every version of the layout has its vectors', async () => {
  const folders = (await readdir(vector('.'), { withFileTypes: true })).filter((entry) =>
    entry.isDirectory(),
  );
  expect(folders.map(({ name }) => name).sort()).toEqual(['v1', 'v2']);
});

test.each([[['v1']], [['v2']], [['v1', 'v2']]])(
  'what %j wrote is found, is not created again, and stays found beside what is added',
  async (versions) => {
    const site = await continued(...versions);
    const objects = (await Promise.all(versions.map(expected))).flat();
    await requireFound(site.directory, objects);

    await sweepTemporaries(site.directory, ZURICH.site);
    await foldJournals(site.directory, ZURICH.site);
    await requireFound(site.directory, objects);

    const store = new FilesystemObjectStore(site.directory, ZURICH);
    const added = exampleObject('added');
    expect(await store.create(added.key, added.sealed, added.metadata)).toEqual({ created: true });
    for (const { key, metadata } of objects) {
      const standing = { metadata: decodeObjectMetadata(metadata), bytes: 40 };
      expect(await store.create(key, added.sealed, added.metadata)).toEqual({
        created: false,
        existing: standing,
      });
      expect(await store.head(key)).toEqual(standing);
    }
    await store.flush();
    const reader = new FilesystemSiteReader(site.directory, ZURICH.site);
    expect(await Array.fromAsync(reader.list())).toHaveLength(objects.length + 1);
  },
);

test('a second file of one object is foreign, and the object stays the one that a router finds', async () => {
  const site = await continued('v1');
  const [first] = await expected('v1');
  const { key = '', metadata = {} } = first ?? {};
  const submission = key.slice(-64);
  await cp(
    `${site.directory}/${key}`,
    `${site.directory}/samples/${submission.slice(0, 1)}/${submission}`,
  );
  const reader = new FilesystemSiteReader(site.directory, ZURICH.site);
  const listed = (await Array.fromAsync(reader.list())).filter((entry) => entry.key === key);
  expect(listed.toSorted((a, b) => Number(a.foreign) - Number(b.foreign))).toEqual([
    { key, foreign: false },
    { key, foreign: true },
  ]);
  expect(await new FilesystemObjectStore(site.directory, ZURICH).head(key)).toMatchObject({
    metadata: decodeObjectMetadata(metadata),
  });
});
