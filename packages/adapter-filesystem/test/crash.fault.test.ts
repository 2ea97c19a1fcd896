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

const OBJECTS = 1_500;
let site: TemporarySite;
beforeEach(async () => { site = await temporarySite(); });
afterEach(() => site.remove());

/** Runs a writer and kills it `afterMs` into its work; whether it was still at it. */
async function killWriter(attempt: number, afterMs: number): Promise<boolean> {
  const script = fileURLToPath(new URL('crash-writer.ts', import.meta.url));
  const child = spawn(process.execPath, [script, site.directory, String(OBJECTS), String(attempt)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const exited = once(child, 'exit');
  await once(child.stdout, 'data');
  await delay(afterMs);
  child.kill('SIGKILL');
  return (await exited)[1] === 'SIGKILL';
}

test('after writers killed in the middle, another attempt leaves every object whole with its own metadata and nothing temporary', async () => {
  const leftovers: number[] = [];
  let killed = 0;
  for (const [attempt, afterMs] of [5, 12, 20, 30, 45].entries()) {
    if (await killWriter(attempt, afterMs)) killed += 1;
    leftovers.push((await site.files('tmp')).length);
    await everyObjectIsWhole();
  }
  // Otherwise nothing was tested.
  expect(killed).toBeGreaterThanOrEqual(3);
  expect(Math.max(...leftovers)).toBeGreaterThan(0);

  expect(await sweepTemporaries(site.directory, ZURICH.site)).toBe(leftovers.at(-1));
  const store = new FilesystemObjectStore(site.directory, ZURICH.site);
  const results = await Promise.all(Array.from({ length: OBJECTS }, async (_, index) => {
    const { key, sealed, metadata } = exampleObject(`crash-${index}`, 99);
    return await store.create(key, sealed, metadata);
  }));
  await store.flush();
  expect(results.some(({ created }) => created)).toBe(true);
  expect(results.some(({ created }) => !created)).toBe(true);
  expect(await everyObjectIsWhole()).toBe(OBJECTS);
  expect(await site.files('tmp')).toEqual([]);
});

async function everyObjectIsWhole(): Promise<number> {
  const reader = new FilesystemSiteReader(site.directory, ZURICH.site);
  let seen = 0;
  for await (const key of reader.list()) {
    const found = await reader.read(key);
    expect(found?.metadata).toMatchObject({ 'sealed-sha256': sha256(found?.bytes ?? Buffer.alloc(0)) });
    seen += 1;
  }
  return seen;
}
