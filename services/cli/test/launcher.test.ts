import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it, onTestFinished } from 'vitest';

const BIN = fileURLToPath(new URL('../bin/residency.js', import.meta.url));
const SAYS =
  'node: error while loading shared libraries: libatomic.so.1: cannot open shared object file: No such file or directory';

/** A path on which the first `node` ends as the loader ends one whose library is missing. */
async function brokenPath(...more: readonly string[]): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'residency-launcher-'));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  for (const name of ['first', 'tools']) await mkdir(join(folder, name));
  await writeFile(join(folder, 'first/node'), `#!/bin/sh\necho "${SAYS}" >&2\nexit 127\n`);
  await chmod(join(folder, 'first/node'), 0o755);
  // Nothing else of the machine: it may have a Node of its own.
  const { stdout } = spawnSync('sh', ['-c', 'command -v sed'], { encoding: 'utf8' });
  await symlink(stdout.trim(), join(folder, 'tools/sed'));
  return [join(folder, 'first'), join(folder, 'tools'), ...more].join(':');
}

function run(PATH: string): {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
} {
  return spawnSync('/bin/sh', [BIN, '--version'], { env: { PATH }, encoding: 'utf8' });
}

it("names a library that npm's Node lacks, it and its package", async () => {
  const { status, stdout, stderr } = run(await brokenPath());
  expect([status, stdout]).toEqual([3, '']);
  expect(stderr).toContain(SAYS);
  expect(stderr).toContain(
    'libatomic.so.1 is missing; install libatomic1 (Debian, Ubuntu: apt-get install libatomic1)',
  );
});

it('goes on with another Node of the path that is new enough, and says so', async () => {
  const { status, stdout, stderr } = run(await brokenPath(dirname(process.execPath)));
  expect([status, stdout, stderr]).toEqual([
    0,
    expect.stringMatching(/^\d+\.\d+\.\d+\n$/),
    expect.stringContaining('going on with'),
  ]);
});

it('says nothing where the first Node starts', () => {
  expect(run(dirname(process.execPath))).toMatchObject({ status: 0, stderr: '' });
});
