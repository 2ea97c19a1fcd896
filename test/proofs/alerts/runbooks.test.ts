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

test("a page's causes are its marked commands, each with what it shows", () => {
  expect(causesOf(PAGE)).toEqual([
    { id: 'site-away', command: 'echo it is away', shows: 'is away' },
  ]);
});

test('a command runs as it stands there, and what it says on either stream counts', async () => {
  expect(
    await run('echo one; echo $TWO >&2; exit 3', {
      cwd: tmpdir(),
      env: { PATH: process.env['PATH'], TWO: 'two' },
    }),
  ).toBe('one\ntwo\n');
});
