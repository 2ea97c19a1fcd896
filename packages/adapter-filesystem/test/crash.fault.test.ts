import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { sha256 } from '@residency/contracts';
import { exampleObject } from '@residency/testkit';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FilesystemObjectStore } from '../src/filesystem-object-store.ts';
import { FilesystemSiteReader } from '../src/filesystem-site-reader.ts';
import { sweepTemporaries } from '../src/sweep-temporaries.ts';
import { ZURICH, temporarySite } from './temporary-site.ts';
import type { TemporarySite } from './temporary-site.ts';

// Most kills leave something half-written; were there none at all, nothing would have been tested.
const MOST_KILLS = 25;
let site: TemporarySite;
beforeEach(async () => {
  site = await temporarySite();
});
afterEach(() => site.remove());

/** Runs a writer and kills it `afterMs` into its work. */
async function killWriter(attempt: number, afterMs: number): Promise<void> {
  const script = fileURLToPath(new URL('crash-writer.ts', import.meta.url));
  const child = spawn(process.execPath, [script, site.directory, String(attempt)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  await once(child.stdout, 'data');
  await delay(afterMs);
  child.kill('SIGKILL');
  expect((await exited)[1]).toBe('SIGKILL');
}

test('after writers were killed, another attempt leaves every object complete with its own metadata, and no temporary file', async () => {
  let placed = 0;
  for (
    let kills = 0;
    kills < 5 || (kills < MOST_KILLS && (placed === 0 || (await site.files('tmp')).length === 0));
    kills += 1
  ) {
    // Ever later: on a busy machine a writer may not have begun for long.
    await killWriter(kills, 4 * 1.25 ** kills);
    placed = await everyObjectIsWhole();
  }
  const leftovers = await site.files('tmp');
  expect(leftovers.length).toBeGreaterThan(0);

  expect(await sweepTemporaries(site.directory, ZURICH.site)).toBe(leftovers.length);
  const store = new FilesystemObjectStore(site.directory, ZURICH);
  // Eight writers at once: beyond what is placed, at most eight more were begun.
  const objects = placed + 50;
  const results = await Promise.all(
    Array.from({ length: objects }, async (_, index) => {
      const { key, sealed, metadata } = exampleObject(`crash-${index}`, 99);
      return await store.create(key, sealed, metadata);
    }),
  );
  await store.flush();
  expect(results.some(({ created }) => created)).toBe(true);
  expect(results.some(({ created }) => !created)).toBe(true);
  expect(await everyObjectIsWhole()).toBe(objects);
  expect(await site.files('tmp')).toEqual([]);
});

async function everyObjectIsWhole(): Promise<number> {
  const reader = new FilesystemSiteReader(site.directory, ZURICH.site);
  let seen = 0;
  for await (const { key } of reader.list()) {
    const found = await reader.read(key);
    expect(found?.metadata).toMatchObject({
      'sealed-sha256': sha256(found?.bytes ?? Buffer.alloc(0)),
    });
    seen += 1;
  }
  return seen;
}
