import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { finished, temporaryFolder } from './residency.ts';

it('what is used wrongly ends with 2 and a sentence, and makes nothing of it', async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder.path, 'mine'));
  await writeFile(join(folder.path, 'mine/letter'), 'not yours');
  const wrong = [
    [],
    ['frob'],
    ['policy'],
    ['where'],
    ['where', 'CH', '--at', 'yesterday'],
    ['route'],
    ['publish', 'missing', '--country', 'CH', '--consent', 'consent-0001'],
    ['publish', 'mine', '--country', 'CH'],
    ['publish', 'mine', '--country', 'CH', '--consent', 'consent-0001', '--verdict', 'fine'],
    ['status', 'nonsense'],
    ['consent', 'grant', '--consent', 'short', '--subject', 's'],
    ['consent', 'show', '--consent', 'a/b/../c/d'],
    ['keys', 'list', '--data', 'mine'],
    ['relocate', 'plan', '--help'],
    ['policy', 'publihs', '--help'],
    ['help', 'relocate'],
    ['audit', 'key', 'help', 'shw'],
    ['quarantine', 'redrve'],
    ['status', '0'.repeat(64), '--url', 'ftp://host'],
    ['status', '0'.repeat(64), '--url', 'http://user:secret@host'],
    ['audit', 'list', '--from', '1'],
  ];
  const ends = await Promise.all(
    wrong.map(async (args) => ({ args, ...(await folder.run(...args)) })),
  );
  for (const { args, code, out, err } of ends) {
    expect([args, code, out]).toEqual([args, 2, '']);
    expect(err).not.toBe('');
    expect(err).not.toMatch(/^\s+at /m);
    expect(err).not.toContain('secret');
  }
  for (const [nearest, ...args] of [
    ['route', 'rote', '--help'],
    ['quarantine redrive', 'redrive', '--help'],
    ['publish', 'policy', 'publihs', '--help'],
    ['show', 'audit', 'key', 'shw'],
  ] as const) {
    expect((await folder.run(...args)).err).toContain(`(the nearest: ${nearest})`);
  }
  for (const args of [
    ['--help'],
    ['help'],
    ['help', 'policy'],
    ['policy', 'help', 'show'],
    ['policy', '--help'],
    ['policy', 'show', 'more', '--help'],
  ])
    expect((await folder.run(...args)).code).toBe(0);
  expect((await folder.run('--version')).out).toMatch(/^\d+\.\d+\.\d+\n$/);
  const options = await Promise.all([
    folder.run('--json', 'where', 'CH'),
    folder.run('where', 'CH', '--json'),
  ]);
  expect(options[0].out).toBe(options[1].out);
});

it('a reader that goes away ends it quietly', async () => {
  const folder = await temporaryFolder();
  const child = folder.spawn(['where', ...Array.from({ length: 20_000 }, () => 'CH')]);
  const ended = once(child, 'exit') as Promise<[number | null]>;
  let err = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  child.stdout?.once('data', () => {
    child.stdout?.destroy();
  });
  expect([(await ended)[0], err]).toEqual([0, '']);
});

it('Ctrl-C ends a command between two steps, and what was said to be published is', async () => {
  const folder = await temporaryFolder();
  await mkdir(join(folder.path, 'in'));
  await Promise.all(
    Array.from({ length: 2_000 }, (_, at) =>
      writeFile(join(folder.path, 'in', String(at)), Buffer.alloc(64 * 1024, at)),
    ),
  );
  const child = folder.spawn([
    'publish',
    'in',
    '--country',
    'CH',
    '--consent',
    'consent-0001',
    '--json',
  ]);
  child.stdout?.once('data', () => {
    child.kill('SIGINT');
  });
  const { code, out, err } = await finished(child);
  expect([code, err]).toEqual([130, expect.stringContaining('INTERRUPTED')]);
  const said = out.trimEnd().split('\n').length;
  expect(err).toContain(`Published ${said.toLocaleString('en-US')} files`);
  const [routed] = await folder.json(0, 'route', '--once');
  expect(routed?.['submissions']).toBe(said);
});
