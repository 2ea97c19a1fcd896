import { sha256 } from '@residency/contracts';
import { exampleObject } from '@residency/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { foldJournals } from '../src/candidate-journal.ts';
import { FilesystemObjectStore } from '../src/filesystem-object-store.ts';
import { SITE_DIRECTORIES, objectPath } from '../src/site-layout.ts';
import { RecordedDisk } from './recorded-disk.ts';
import { ZURICH, temporarySite } from './temporary-site.ts';
import type { TemporarySite } from './temporary-site.ts';

let site: TemporarySite;
beforeEach(async () => {
  site = await temporarySite();
});
afterEach(() => site.remove());

const OBJECTS = Array.from({ length: 12 }, (_, index) => exampleObject(`object-${index}`, index));
const submissionOf = ({ key }: { readonly key: string }) => key.slice(-64);

test('a power failure at any moment leaves no object that is not whole or lacks its metadata, and every flushed one', async () => {
  let checks = 0;
  const disk: RecordedDisk = new RecordedDisk(site.directory, ['.', ...SITE_DIRECTORIES], () => {
    for (const { path, content, whole } of disk.possible('samples')) {
      const submission = path.slice(-64);
      if (submission.length < 64) continue;
      checks += 1;
      expect({
        path,
        whole,
        metadata: disk.hasCandidate(submission, sha256(content)),
        trace: disk.trace.slice(-1),
      }).toMatchObject({ whole: true, metadata: true });
    }
  });
  const store = new FilesystemObjectStore(site.directory, ZURICH, undefined, disk.calls);
  const put = (from: number, to: number) =>
    Promise.all(
      OBJECTS.slice(from, to).map(({ key, sealed, metadata }) =>
        store.create(key, sealed, metadata),
      ),
    );
  for (const [from, to] of [
    [0, 1],
    [0, 6],
    [6, 9],
  ] as const) {
    await put(from, to);
    await store.flush();
    for (const object of OBJECTS.slice(0, to))
      expect(disk.isDurable(objectPath(submissionOf(object)))).toBe(true);
  }
  expect(await foldJournals(site.directory, ZURICH.site, disk.calls)).toBe(1);
  await put(8, 12);
  await store.flush();
  expect(await foldJournals(site.directory, ZURICH.site, disk.calls)).toBe(1);
  for (const object of OBJECTS) {
    expect(disk.isDurable(objectPath(submissionOf(object)))).toBe(true);
    expect(disk.hasCandidate(submissionOf(object), object.metadata.sealedSha256)).toBe(true);
  }
  expect(checks).toBeGreaterThan(100);
});

test('objects that are created at once share the syncs of their metadata and their folders', async () => {
  const disk = new RecordedDisk(site.directory, ['.', ...SITE_DIRECTORIES]);
  const store = new FilesystemObjectStore(site.directory, ZURICH, undefined, disk.calls);
  await Promise.all(
    Array.from({ length: 200 }, (_, index) => exampleObject(`many-${index}`)).map(
      ({ key, sealed, metadata }) => store.create(key, sealed, metadata),
    ),
  );
  await store.flush();
  const of = (call: string, folder: string) =>
    disk.trace.filter((entry) => entry.startsWith(`${call} ${folder}`)).length;
  expect(of('sync', 'tmp/')).toBe(200);
  expect(of('sync', 'metadata/journals/')).toBeLessThan(20);
  expect(of('sync', 'samples/')).toBe(16);
});
