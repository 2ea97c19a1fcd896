import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from './tree.ts';

// Written in parts, so that this file does not match. The lock file contains no addresses.
const slash = '/';
const npm = 'npm';
const TRACES = [
  new RegExp(`(?<![\\w.@-])${slash}(?:work|root|home${slash}\\w+|Users${slash}\\w+)${slash}`),
  new RegExp(`registry\\.${npm}(?:js|mirror)\\b`),
  new RegExp(
    `\\b(?:${['pkg', 'registry', 'artifactory', 'nexus', 'verdaccio'].join('|')})\\.[a-z0-9.-]+${slash}`,
  ),
];

test("no tracked file names a path of a developer's machine or the host of a registry", () => {
  const listed = execFileSync(
    'git',
    ['ls-files', '-z', '--cached', '--others', '--exclude-standard'],
    { cwd: root, encoding: 'utf8' },
  );
  const paths = listed.split('\0').filter((path) => path !== '');
  expect(paths.length).toBeGreaterThan(50);
  expect(paths.flatMap((path) => traces(path))).toEqual([]);
});

test.each([
  ['a path', `see ${slash}work${slash}x`],
  ['a home', `${slash}home${slash}me${slash}x`],
  ['a registry', `https:${slash}${slash}registry.${npm}js.org${slash}`],
])('%s is found', (_what, line) => {
  expect(TRACES.some((trace) => trace.test(line))).toBe(true);
});

function traces(path: string): string[] {
  let content: string;
  try {
    content = readFileSync(join(root, path), 'latin1');
  } catch {
    return []; // Listed by git, removed from the working tree.
  }
  return TRACES.filter((trace) => trace.test(content)).map((trace) => `${path}: ${trace.source}`);
}
