import { chmod, mkdtemp, readFile, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { StateFile } from '@residency/adapter-filesystem';
import { afterEach, beforeEach, expect, test } from 'vitest';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'residency-state-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const open = (): StateFile => new StateFile(folder, 'state');
const text = (bytes: Buffer | undefined): string | undefined => bytes?.toString();

test('returns the last written bytes, to itself and to the next process', async () => {
  const state = open();
  expect(await state.read()).toBeUndefined();
  await state.replace(Buffer.from('one'));
  await Promise.all(['two', 'three'].map((each) => state.replace(Buffer.from(each))));
  const next = open();
  expect([text(await state.read()), text(await next.read())]).toEqual(['three', 'three']);
  await next.replace(Buffer.from('four'));
  expect([text(await open().read()), await readdir(folder)]).toEqual(['four', ['state']]);
});

test('a half-written file of a crash is not the state, and does not prevent the next write', async () => {
  const state = open();
  await state.replace(Buffer.from('one'));
  await writeFile(join(folder, 'state.new'), 'tw');
  const next = open();
  expect(text(await next.read())).toBe('one');
  await next.replace(Buffer.from('two'));
  expect([text(await open().read()), await readdir(folder)]).toEqual(['two', ['state']]);
});

test("a process that finds another process's state stops, and keeps it", async () => {
  const [one, two] = [open(), open()];
  await one.replace(Buffer.from('one'));
  await two.read();
  await two.replace(Buffer.from('two'));
  await expect(one.replace(Buffer.from('one'))).rejects.toMatchObject({
    code: 'STATE_TAKEN',
    remedy: 'stop',
  });
  await expect(open().replace(Buffer.from('three'))).rejects.toMatchObject({ code: 'STATE_TAKEN' });
  await rm(join(folder, 'state'));
  await expect(two.replace(Buffer.from('two'))).rejects.toMatchObject({ code: 'STATE_TAKEN' });
  expect(await readdir(folder)).toEqual([]);
});

test('a state that is set aside is kept, and the next read finds none', async () => {
  const state = open();
  await state.replace(Buffer.from('damaged'));
  const aside = await state.setAside();
  expect([await readFile(aside, 'utf8'), await state.read()]).toEqual(['damaged', undefined]);
  await state.replace(Buffer.from('anew'));
  await state.setAside();
  expect([await readFile(aside, 'utf8'), await readdir(folder)]).toEqual([
    'anew',
    ['state.damaged'],
  ]);
});

test('a folder that is missing or not writable is waited for and never created', async () => {
  const state = open();
  await state.replace(Buffer.from('one'));
  await rename(folder, `${folder}.away`);
  const asks = [
    () => state.read(),
    () => open().read(),
    () => state.replace(Buffer.from('two')),
    () => open().replace(Buffer.from('two')),
    () => state.setAside(),
  ];
  for (const ask of asks)
    await expect(ask()).rejects.toMatchObject({ code: 'STATE_UNREACHABLE', remedy: 'retry' });
  await rename(`${folder}.away`, folder);
  if (process.getuid?.() !== 0) {
    await chmod(folder, 0o500);
    await expect(state.replace(Buffer.from('two'))).rejects.toMatchObject({
      code: 'STATE_UNREACHABLE',
      remedy: 'retry',
    });
    await chmod(folder, 0o700);
  }
  await state.replace(Buffer.from('two'));
  expect(text(await open().read())).toBe('two');
});
