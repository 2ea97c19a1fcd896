import { execFile } from 'node:child_process';
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { root } from '../architecture/tree.ts';
import { FOLDER } from './compose-file.ts';

const STEPS = [
  'topics create',
  'keys add',
  'keys add',
  'site init',
  'policy publish',
  'audit key',
  'config check',
];

/**
 * Runs setup.sh with a `residency` that ends with the given codes for a command, one for each call,
 * and then with 0. No step sleeps.
 */
async function setup(
  codes: Readonly<Record<string, readonly number[]>>,
): Promise<{ readonly code: number; readonly steps: readonly string[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'residency-setup-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  await mkdir(join(folder, 'bin'));
  const program = async (name: string, lines: readonly string[]): Promise<void> => {
    await writeFile(join(folder, 'bin', name), ['#!/bin/sh', ...lines, ''].join('\n'));
    await chmod(join(folder, 'bin', name), 0o755);
  };
  await program('sleep', []);
  await program('residency', [
    `echo "$1 $2" >>steps`,
    'file="codes-$1-$2"; [ -s "$file" ] || exit 0',
    'code=$(head -n 1 "$file"); tail -n +2 "$file" >rest; mv rest "$file"; exit "$code"',
  ]);
  for (const [command, said] of Object.entries(codes))
    await writeFile(
      join(folder, `codes-${command.replace(' ', '-')}`),
      said.map((code) => `${code}\n`).join(''),
    );
  await writeFile(
    join(folder, 'residency.env'),
    `RESIDENCY_KEYS_DIR=${folder}/keys\nRESIDENCY_LEDGER_KEY_FILE=${folder}/ledger-key\n`,
  );
  const code = await new Promise<number>((resolve) => {
    execFile(
      'sh',
      [join(root, FOLDER, 'setup.sh')],
      {
        cwd: folder,
        env: { PATH: `${folder}/bin:/usr/bin:/bin`, PUBLIC_KEYS: join(folder, 'public-keys') },
      },
      (error) => {
        resolve(error === null ? 0 : Number(error.code));
      },
    );
  });
  return { code, steps: (await readFile(join(folder, 'steps'), 'utf8')).trim().split('\n') };
}

it('runs every step once', async () => {
  expect(await setup({})).toEqual({ code: 0, steps: STEPS });
});

it('retries steps that reached nothing, and a topic that seems missing', async () => {
  expect(await setup({ 'topics create': [3, 1, 3], 'site init': [3] })).toEqual({
    code: 0,
    steps: [
      'topics create',
      'topics create',
      'topics create',
      ...STEPS.slice(0, 4),
      ...STEPS.slice(3),
    ],
  });
});

it.each([1, 2])('ends at once after a step that exits with %i', async (code) => {
  expect(await setup({ 'site init': [code] })).toEqual({ code, steps: STEPS.slice(0, 4) });
  expect(await setup({ 'topics create': [2] })).toEqual({ code: 2, steps: ['topics create'] });
});

it('gives up in the end', async () => {
  expect(await setup({ 'topics create': Array.from({ length: 100 }, () => 1) })).toMatchObject({
    code: 1,
    steps: Array.from({ length: 15 }, () => 'topics create'),
  });
  const { code, steps } = await setup({ 'policy publish': Array.from({ length: 100 }, () => 3) });
  expect({ code, last: steps.at(-1) }).toEqual({ code: 3, last: 'policy publish' });
});
