import { tmpdir } from 'node:os';
import { expect, test } from 'vitest';
import { causesOf, run } from './runbooks.ts';

const PAGE = [
  '# Alert',
  '',
  '```sh cause=site-away',
  'echo it is away',
  '```',
  '',
  'Shows: `is away`',
  '',
  '```sh',
  'echo no cause',
  '```',
  '',
].join('\n');

test("a page's causes are its marked commands, each with its expected output", () => {
  expect(causesOf(PAGE)).toEqual([
    { id: 'site-away', command: 'echo it is away', shows: 'is away' },
  ]);
});

test('a command runs exactly as the page gives it, and its output on both streams counts', async () => {
  expect(
    await run('echo one; echo $TWO >&2; exit 3', {
      cwd: tmpdir(),
      env: { PATH: process.env['PATH'], TWO: 'two' },
    }),
  ).toBe('one\ntwo\n');
});
