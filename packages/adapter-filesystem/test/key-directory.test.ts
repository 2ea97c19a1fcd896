import { mkdtemp, readFile, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { KeyDirectory } from '../src/key-directory.ts';

let parent: string;
let clock: number;
let keys: KeyDirectory;
beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'residency-keys-'));
  clock = 0;
  keys = new KeyDirectory(join(parent, 'keys'), () => clock);
});
afterEach(() => rm(parent, { recursive: true, force: true }));

const pair = (id: string) => ({ id, publicKeyPem: `public ${id}`, privateKeyPem: `private ${id}` });
const path = (name: string) => join(parent, 'keys', 'zurich', name);

test('a region without keys has none, and a query creates nothing', async () => {
  expect(await keys.list()).toEqual([]);
  expect(keys.newest('zurich')).toBeUndefined();
  expect(await keys.privateKey('zurich', 'k1')).toBeUndefined();
  expect(await readdir(parent)).toEqual([]);
});

test('a corrected file is read again, and a deleted one is no longer a key', async () => {
  await keys.add('zurich', pair('k1'));
  expect(keys.newest('zurich')?.publicKeyPem).toBe('public k1');
  await writeFile(path('k1.public.pem'), 'put right');
  clock += 1_000;
  expect(keys.newest('zurich')?.publicKeyPem).toBe('put right');
  await rm(path('k1.public.pem'));
  clock += 1_000;
  expect(keys.newest('zurich')).toBeUndefined();
});

test('a key is two files, for their owner only', async () => {
  await keys.add('zurich', pair('k1'));
  expect((await readdir(path(''))).sort()).toEqual(['k1.private.pem', 'k1.public.pem']);
  expect(await readFile(path('k1.private.pem'), 'utf8')).toBe('private k1');
  expect((await stat(path('k1.private.pem'))).mode & 0o777).toBe(0o600);
  for (const directory of ['keys', 'keys/zurich'])
    expect((await stat(join(parent, directory))).mode & 0o777).toBe(0o700);
});

test('the newest key seals, all keys open, and regions are separate', async () => {
  for (const id of ['k2', 'k1', 'k3']) await keys.add('zurich', pair(id));
  await keys.add('moscow', pair('m1'));
  expect(keys.newest('zurich')).toEqual({ id: 'k3', publicKeyPem: 'public k3' });
  expect(keys.newest('moscow')).toEqual({ id: 'm1', publicKeyPem: 'public m1' });
  await keys.retire('k3');
  expect(keys.newest('zurich')).toEqual({ id: 'k2', publicKeyPem: 'public k2' });
  const ids = ['k1', 'k2', 'k3'];
  expect(await Promise.all(ids.map((id) => keys.privateKey('zurich', id)))).toEqual(
    ids.map((id) => `private ${id}`),
  );
  expect(await keys.privateKey('moscow', 'k1')).toBeUndefined();
  expect(await keys.list()).toEqual([
    { region: 'moscow', id: 'm1', retired: false },
    { region: 'zurich', id: 'k1', retired: false },
    { region: 'zurich', id: 'k2', retired: false },
    { region: 'zurich', id: 'k3', retired: true },
  ]);
});

test("a running router picks up another process's key and retirement after a second, without a restart", async () => {
  await keys.add('zurich', pair('k1'));
  const running = new KeyDirectory(join(parent, 'keys'), () => clock);
  expect(running.newest('zurich')?.id).toBe('k1');
  await keys.add('zurich', pair('k2'));
  clock = 999;
  expect(running.newest('zurich')?.id).toBe('k1');
  clock = 1_000;
  expect(running.newest('zurich')).toEqual({ id: 'k2', publicKeyPem: 'public k2' });
  await keys.retire('k2');
  clock = 2_000;
  expect(running.newest('zurich')?.id).toBe('k1');
});

test('a key is never overwritten', async () => {
  await keys.add('zurich', pair('k1'));
  await expect(keys.add('zurich', { ...pair('k1'), privateKeyPem: 'other' })).rejects.toMatchObject(
    { code: 'KEY_EXISTS', remedy: 'stop' },
  );
  expect(await readFile(path('k1.private.pem'), 'utf8')).toBe('private k1');
});

test('a key whose adding crashed before its public file does not exist', async () => {
  await keys.add('zurich', pair('k1'));
  await writeFile(path('k2.private.pem'), 'torn');
  await writeFile(path('.0f8fad5b-d9cb-469f-a165-70867728950e'), 'torn');
  clock = 5_000;
  expect(keys.newest('zurich')?.id).toBe('k1');
});

test('a router with public keys only can seal and cannot open', async () => {
  await keys.add('zurich', pair('k1'));
  await rm(path('k1.private.pem'));
  expect(keys.newest('zurich')?.id).toBe('k1');
  expect(await keys.privateKey('zurich', 'k1')).toBeUndefined();
});

test('the last key of a region can not be retired', async () => {
  for (const id of ['k1', 'k2']) await keys.add('zurich', pair(id));
  await keys.retire('k1');
  await keys.retire('k1');
  await expect(keys.retire('k2')).rejects.toMatchObject({ code: 'KEY_LAST', remedy: 'stop' });
  expect(keys.newest('zurich')?.id).toBe('k2');
  await expect(keys.retire('k9')).rejects.toMatchObject({ code: 'KEY_UNKNOWN' });
});

test('two retirements at once never leave a region without a key', async () => {
  for (let round = 0; round < 20; round += 1) {
    const region = `region-${round}`;
    const ids = [`a${round}`, `b${round}`];
    for (const id of ids) await keys.add(region, pair(id));
    await Promise.allSettled(ids.map((id) => keys.retire(id)));
    expect(keys.newest(region)).toBeDefined();
  }
});

test.each(['', '.', '..', '../k', 'a/b', '.hidden', 'k\0'])(
  'a name that could lead elsewhere ("%s") is refused',
  async (name) => {
    const refusal = { code: 'INVALID_KEY_NAME', remedy: 'stop' };
    await expect(keys.add(name, pair('k1'))).rejects.toMatchObject(refusal);
    await expect(keys.add('zurich', pair(name))).rejects.toMatchObject(refusal);
    await expect(keys.retire(name)).rejects.toMatchObject(refusal);
    expect(() => keys.newest(name)).toThrow(expect.objectContaining(refusal));
    await expect(keys.privateKey(name, 'k1')).rejects.toMatchObject(refusal);
    // An object names the id.
    expect(await keys.privateKey('zurich', name)).toBeUndefined();
  },
);

test('an unusable key directory is reported without its path', async () => {
  await writeFile(join(parent, 'keys'), 'a file');
  const unreachable = {
    code: 'KEYS_UNREACHABLE',
    remedy: 'retry',
    message: expect.not.stringContaining(parent),
  };
  expect(() => keys.newest('zurich')).toThrow(expect.objectContaining(unreachable));
  await expect(keys.list()).rejects.toMatchObject(unreachable);
  await expect(keys.privateKey('zurich', 'k1')).rejects.toMatchObject(unreachable);
  await expect(keys.add('zurich', pair('k1'))).rejects.toMatchObject(unreachable);
});
