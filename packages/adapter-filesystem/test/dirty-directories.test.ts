import { expect, test } from 'vitest';
import { DirtyDirectories } from '../src/dirty-directories.ts';

function recorded() {
  const synced: string[] = [];
  const failing = new Set<string>();
  const directories = new DirtyDirectories(async (directory) => {
    await Promise.resolve();
    if (failing.has(directory)) throw new Error(directory);
    synced.push(directory);
  });
  return { directories, failing, take: () => synced.splice(0).sort() };
}

test('syncs each directory once, with those that lead to it', async () => {
  const { directories, take } = recorded();
  for (const directory of ['samples/ab/cd', 'samples/ab/cd', 'samples/ab/ef', 'metadata/ab'])
    directories.touch(directory);
  await directories.flush();
  expect(take()).toEqual([
    '.',
    'metadata',
    'metadata/ab',
    'samples',
    'samples/ab',
    'samples/ab/cd',
    'samples/ab/ef',
  ]);
  await directories.flush();
  expect(take()).toEqual([]);
});

test('syncs only the directory itself once the way to it is durable', async () => {
  const { directories, take } = recorded();
  directories.touch('samples/ab/cd');
  await directories.flush();
  take();
  directories.touch('samples/ab/cd');
  directories.touch('samples/ab/ef');
  await directories.flush();
  expect(take()).toEqual(['samples/ab', 'samples/ab/cd', 'samples/ab/ef']);
});

test('syncs the parent again after a directory was recreated', async () => {
  const { directories, take } = recorded();
  directories.touch('samples/ab/cd');
  await directories.flush();
  take();
  directories.made('samples/ab/cd');
  directories.touch('samples/ab/cd');
  await directories.flush();
  expect(take()).toEqual(['samples/ab', 'samples/ab/cd']);
});

test('rejects if a sync fails, and repeats only the failed syncs the next time', async () => {
  const { directories, failing, take } = recorded();
  directories.touch('samples/ab');
  failing.add('samples');
  await expect(directories.flush()).rejects.toThrow('samples');
  expect(take()).toEqual(['.', 'samples/ab']);
  failing.clear();
  await directories.flush();
  expect(take()).toEqual(['samples']);
  // The way to it was never durable in one piece, so it is walked again.
  directories.touch('samples/ab');
  await directories.flush();
  expect(take()).toEqual(['samples', 'samples/ab']);
});

test('does not resolve a flush while an earlier one still syncs directories of both', async () => {
  const gate = Promise.withResolvers<void>();
  const directories = new DirtyDirectories(() => gate.promise);
  directories.touch('samples');
  const first = directories.flush();
  let done = false;
  const second = (async () => {
    await directories.flush();
    done = true;
  })();
  await new Promise((resolve) => {
    setImmediate(resolve);
  });
  expect(done).toBe(false);
  gate.resolve();
  await Promise.all([first, second]);
  expect(done).toBe(true);
});

test('a flush repeats the failed syncs of an earlier one', async () => {
  const { directories, failing, take } = recorded();
  directories.touch('samples');
  failing.add('samples');
  const first = directories.flush();
  const second = directories.flush();
  await expect(first).rejects.toThrow('samples');
  await expect(second).rejects.toThrow('samples');
  failing.clear();
  await directories.flush();
  expect(take()).toContain('samples');
});
