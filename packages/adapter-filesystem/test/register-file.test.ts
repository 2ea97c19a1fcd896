import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RegisterFile } from '../src/register-file.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'residency-register-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});
const file = (): RegisterFile => new RegisterFile(folder, 'zurich');
const path = (): string => join(folder, 'register-zurich');

it('may be read and written by its owner only', async () => {
  await file().replace([Buffer.from('x')]);
  expect((await stat(path())).mode & 0o777).toBe(0o600);
});

it('with any byte changed, or cut or lengthened anywhere, is refused', async () => {
  await file().replace([Buffer.from('what a custodian knows, in a few bytes')]);
  const good = await readFile(path());
  const refused = async (bytes: Buffer): Promise<void> => {
    await writeFile(path(), bytes);
    await expect(file().read()).rejects.toMatchObject({ code: 'STATE_DAMAGED' });
  };
  for (let at = 0; at < good.length; at += 1) await refused(good.subarray(0, at));
  await refused(Buffer.concat([good, Buffer.of(0)]));
  await fc.assert(
    fc.asyncProperty(
      fc.nat({ max: good.length - 1 }),
      fc.integer({ min: 1, max: 255 }),
      async (at, flip) => {
        const other = Buffer.from(good);
        other.writeUInt8(other.readUInt8(at) ^ flip, at);
        await refused(other);
      },
    ),
  );
  await file().replace([Buffer.from('anew')]);
  expect((await file().read())?.bytes.toString()).toBe('anew');
});

it('is not what a link leads to, and a missing folder is an error', async () => {
  await file().replace([Buffer.from('x')]);
  await symlink(path(), join(folder, 'register-moscow'));
  for (const other of [
    new RegisterFile(folder, 'moscow'),
    new RegisterFile(join(folder, 'none'), 'zurich'),
  ])
    await expect(other.read()).rejects.toMatchObject({
      code: 'STATE_UNREACHABLE',
      remedy: 'retry',
    });
  await expect(new RegisterFile(join(folder, 'none'), 'zurich').replace([])).rejects.toMatchObject({
    code: 'STATE_UNREACHABLE',
  });
});

describe('a process killed while it writes', () => {
  it('leaves a whole register, the former or the new one', async () => {
    let seen = Buffer.alloc(0);
    for (let kill = 0; kill < 12; kill += 1) {
      const writer = spawn(
        process.execPath,
        [fileURLToPath(new URL('./children/write-registers.ts', import.meta.url)), folder],
        { stdio: ['ignore', 'pipe', 'inherit'] },
      );
      await once(writer.stdout, 'data');
      await new Promise((resolve) => {
        setTimeout(resolve, kill * 7);
      });
      writer.kill('SIGKILL');
      await once(writer, 'exit');
      const { bytes } = (await file().read()) ?? { bytes: Buffer.alloc(0) };
      // Each one is one number over and over, larger than those before.
      const number = bytes.subarray(0, 4);
      expect(bytes.equals(Buffer.alloc(3_000_000, number))).toBe(true);
      expect(number.compare(seen)).toBe(1);
      seen = Buffer.from(number);
    }
  });
});
