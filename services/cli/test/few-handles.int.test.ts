import { spawn } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { finished, temporaryFolder } from './residency.ts';
import type { Finished } from './in-process.ts';
import type { Folder } from './residency.ts';

const BIN = fileURLToPath(new URL('../bin/residency.js', import.meta.url));

function withHandles(folder: Folder, handles: number, command: string): Promise<Finished> {
  const script = `ulimit -n ${handles} && exec "$0" "$1" ${command}`;
  const env = { ...process.env, RESIDENCY_CHECKPOINTS: folder.checkpoints };
  return finished(
    spawn('sh', ['-c', script, process.execPath, BIN], {
      cwd: folder.path,
      stdio: ['ignore', 'pipe', 'pipe'],
      env,
    }),
  );
}

it('with too few file handles a command names them, however few, and settles the rest with more', async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder.path, 'in'));
  for (let at = 0; at < 60; at += 1) await writeFile(join(folder.path, 'in', `${at}`), `${at}`);
  await folder.json(0, 'consent', 'grant', '--consent', 'consent-0001', '--subject', 's');
  await folder.json(0, 'publish', 'in', '--country', 'CH', '--consent', 'consent-0001');
  for (const handles of [24, 28, 32, 40]) {
    const { code, out, err } = await withHandles(folder, handles, 'route --once');
    expect([handles, code, err]).toEqual([
      handles,
      3,
      expect.stringMatching(/ulimit -n.*\(TOO_FEW_FILE_HANDLES\)/),
    ]);
    expect(out).not.toContain('Nothing waited');
  }
  // A slow machine frees handles between two records, so some of the first ones may be settled.
  const before = (await folder.json(0, 'audit', 'list')).length;
  expect(await folder.json(0, 'route', '--once')).toMatchObject([{ submissions: 60 - before }]);
  const stored = await folder.json(0, 'audit', 'list', '--outcome', 'stored');
  expect(new Set(stored.map(({ causationid }) => causationid)).size).toBe(60);
  expect(await folder.json(0, 'audit', 'list')).toHaveLength(60);
  expect((await folder.json(0, 'reconcile')).at(-1)).toMatchObject({ differences: 0 });
});
