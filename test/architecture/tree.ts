import { existsSync, globSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { parseSync, printSync } from '@swc/core';

/** The repository. */
export const root = join(import.meta.dirname, '..', '..');

/** `packages/<name>` and `services/<name>`, sorted. */
export const workspaces: readonly string[] = files('{packages,services}/*/package.json').map(
  (path) => path.slice(0, -'/package.json'.length),
);

/** Paths below the repository with `/`, sorted. */
export function files(pattern: string): string[] {
  return globSync(pattern, { cwd: root, exclude: ['**/node_modules/**'] })
    .map((path) => path.split(sep).join('/'))
    .toSorted();
}

export function text(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

export function exists(path: string): boolean {
  return existsSync(join(root, path));
}

/** A TypeScript file as the parser prints it: normalised, without comments. */
export function code(path: string): string {
  return printSync(
    parseSync(text(path), { syntax: 'typescript', comments: false, target: 'esnext' }),
  ).code;
}
