import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { expect, it, onTestFinished } from 'vitest';
import { publishSamples, temporaryFolder } from './residency.ts';
import type { Folder } from './residency.ts';
import { start } from './start.ts';

const REASON = ['--reason', 'request 4711'];
const NOTE = 'Intake records of erased samples may still be on the disk';

/** A data directory with an order to erase the sample `a`, which is stored. */
async function ordered(): Promise<Folder> {
  const folder = await temporaryFolder();
  await folder.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 'person');
  await publishSamples(folder, 'a');
  await folder.run('route', '--once');
  await folder.json(0, 'consent', 'withdraw', '--consent', 'consent-0001');
  const args = ['erase', '--consent', 'consent-0001', ...REASON];
  const plan = await folder.json(0, ...args);
  await folder.json(0, ...args, '--yes', String(plan.at(-1)?.['digest']), '--no-wait');
  return folder;
}

const READER = `const db = new (require('node:sqlite').DatabaseSync)(process.argv[1]);
db.exec('BEGIN; SELECT count(*) FROM record'); console.log('reads'); setInterval(() => db, 1000)`;

/** A process that reads the log, and so keeps its write-ahead log, until the returned function is called. */
async function reader(folder: Folder): Promise<() => Promise<void>> {
  const file = join(folder.path, '.residency', 'log.db');
  const child = spawn(process.execPath, ['-e', READER, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const exited = once(child, 'exit');
  const close = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
  };
  onTestFinished(close);
  await once(child.stdout, 'data');
  return close;
}

/** Whether a file of the log has the sample, as its base64 within a JSON document. */
async function intakeHas(folder: Folder, sample: string): Promise<boolean> {
  const directory = join(folder.path, '.residency');
  const names = (await readdir(directory)).filter((name) => name.startsWith('log.db'));
  const files = await Promise.all(names.map((name) => readFile(join(directory, name))));
  const forms = [sample, Buffer.from(sample).toString('base64')];
  return files.some((file) => forms.some((form) => file.includes(form)));
}

const erasures = (folder: Folder): Promise<unknown> => folder.json(0, 'audit', 'erasures');
const ERASED = [expect.objectContaining({ stored: 1, erased: 1 })];

it('route --once erases while another process reads the log, says what may be left, and the next run ends it', async () => {
  const folder = await ordered();
  const close = await reader(folder);
  const first = await folder.run('route', '--once');
  expect([first.code, first.err]).toEqual([0, expect.stringContaining(NOTE)]);
  expect(await erasures(folder)).toEqual(ERASED);
  expect(await intakeHas(folder, 'sample a')).toBe(true);
  await close();
  const next = await folder.run('route', '--once');
  expect([next.code, next.err]).toEqual([0, expect.not.stringContaining(NOTE)]);
  expect(await intakeHas(folder, 'sample a')).toBe(false);
});

it('start says once that a reader keeps the records, and neither waits nor begins custody anew', async () => {
  const folder = await ordered();
  const close = await reader(folder);
  const running = await start(folder);
  await expect.poll(() => running.output(), { timeout: 20_000 }).toContain(NOTE);
  await setTimeout(3_000);
  const lines = running.output().split('\n');
  expect(lines.filter((line) => line.includes(NOTE))).toHaveLength(1);
  expect(lines.filter((line) => line.includes('waits'))).toEqual([]);
  expect(await intakeHas(folder, 'sample a')).toBe(true);
  await close();
  await expect.poll(() => intakeHas(folder, 'sample a'), { timeout: 20_000 }).toBe(false);
  expect(await erasures(folder)).toEqual(ERASED);
  // Sent again, under a consent that is in force.
  await folder.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 'another');
  await publishSamples(folder, 'a');
  await expect
    .poll(async () => await folder.json(0, 'audit', 'list', '--outcome', 'refused'), {
      timeout: 20_000,
    })
    .toHaveLength(1);
  await expect.poll(() => intakeHas(folder, 'sample a'), { timeout: 20_000 }).toBe(false);
  await running.stop('SIGTERM');
});
