import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

function runs(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

test('servers and folder of a killed process are removed, frozen servers too', async () => {
  const child = spawn(process.execPath, [join(import.meta.dirname, 'left-behind-process.ts')], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const [said] = (await once(child.stdout, 'data')) as [Buffer];
  const { folder, pids } = JSON.parse(said.toString()) as { folder: string; pids: number[] };
  expect(pids.map(runs)).toEqual([true, true]);
  expect(existsSync(folder)).toBe(true);
  child.kill('SIGKILL');
  await expect.poll(() => [...pids.map(runs), existsSync(folder)]).toEqual([false, false, false]);
});
