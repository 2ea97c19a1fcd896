import { chmod, mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises';
import { spawnSync } from 'node:child_process';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';
import { codeCacheFolder, isOurs } from '../bin/code-cache.js';

const BIN = fileURLToPath(new URL('../bin/residency.js', import.meta.url));

async function temporary(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'residency-code-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

it("compiled code is kept in the user's folder for caches, which has to be absolute", () => {
  expect(codeCacheFolder({ XDG_CACHE_HOME: '/caches' })).toBe('/caches/residency/code');
  for (const env of [{}, { XDG_CACHE_HOME: '' }, { XDG_CACHE_HOME: 'caches' }])
    expect(codeCacheFolder(env)).toBe(join(homedir(), '.cache/residency/code'));
});

it('a folder that others may write in, a link and a file are not used', async () => {
  const base = await temporary();
  const folder = join(base, 'cache', 'residency', 'code');
  expect([isOurs(folder), isOurs(folder)]).toEqual([true, true]);
  await chmod(folder, 0o777);
  expect(isOurs(folder)).toBe(false);
  await chmod(folder, 0o700);
  await symlink(folder, join(base, 'link'));
  expect(isOurs(join(base, 'link'))).toBe(false);
  expect(isOurs('/dev/null')).toBe(false);
  expect(isOurs('/proc/cache/residency/code')).toBe(false);
  expect(isOurs(join(base, 'no home', '.cache', 'residency', 'code'))).toBe(false);
});

it('the launcher keeps compiled code there, and starts without where it can not', async () => {
  const base = await temporary();
  const { NODE_COMPILE_CACHE: _, ...env } = process.env;
  const version = (XDG_CACHE_HOME: string) =>
    spawnSync(process.execPath, [BIN, '--version'], {
      env: { ...env, XDG_CACHE_HOME },
      encoding: 'utf8',
    });
  expect(version(base)).toMatchObject({ status: 0, stderr: '' });
  const kept = join(base, 'residency/code');
  expect((await readdir(kept, { recursive: true })).length).toBeGreaterThan(10);
  await rm(kept, { recursive: true });
  await mkdir(kept);
  await chmod(kept, 0o777);
  expect(version(base)).toMatchObject({ status: 0, stderr: '' });
  expect(await readdir(kept)).toEqual([]);
});
