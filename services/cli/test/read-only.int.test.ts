import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from './residency.ts';

const BIN = fileURLToPath(new URL('../bin/residency.js', import.meta.url));
const READING = [
  'audit list',
  'audit replay',
  'audit adjudicate',
  'audit fsck',
  'reconcile',
  'status',
  'policy show',
  'keys list',
  'sample list --region zurich',
  'quarantine list',
  'where CH',
];

it('commands that read work on a data directory that is mounted read-only, and those that append are refused', async () => {
  const folder = await temporaryFolder();
  await writeFile(join(folder.path, 'sample'), 'harmless');
  await folder.json(
    0,
    'consent',
    'grant',
    '--consent',
    'consent-0001',
    '--subject',
    'someone',
    '--data',
    'data',
  );
  await folder.json(
    0,
    'publish',
    'sample',
    '--country',
    'CH',
    '--consent',
    'consent-0001',
    '--data',
    'data',
  );
  await folder.json(0, 'route', '--once', '--data', 'data');
  await mkdir(join(folder.path, 'evidence'));
  // A mount of its own, in a namespace of its own: permissions do not bind root.
  const script = [
    'mount --bind data evidence && mount -o remount,ro,bind evidence || exit 99',
    ...[...READING, 'keys add --region zurich', 'reconcile --open', 'route --once'].map(
      (line) => `"$0" "$1" ${line} --data evidence >> out 2>> err; echo $?`,
    ),
  ].join('\n');
  const { stdout, status } = spawnSync(
    'unshare',
    ['-rm', 'sh', '-c', script, process.execPath, BIN],
    {
      cwd: folder.path,
      encoding: 'utf8',
      env: { ...process.env, RESIDENCY_CHECKPOINTS: folder.checkpoints },
    },
  );
  expect(status).toBe(0);
  expect(stdout.trim().split('\n').map(Number)).toEqual([...READING.map(() => 0), 2, 2, 3]);
});
