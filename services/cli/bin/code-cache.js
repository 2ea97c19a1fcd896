// JavaScript, because it runs before the cache: Node would strip types from it at every start.
import { lstatSync, mkdirSync } from 'node:fs';
import { enableCompileCache } from 'node:module';
import { homedir } from 'node:os';
import { dirname, isAbsolute, join } from 'node:path';

/** The folder in which a user's compiled code may be kept; XDG Base Directory Specification. */
export function codeCacheFolder(env) {
  const base = env['XDG_CACHE_HOME'] ?? '';
  return join(isAbsolute(base) ? base : join(homedir(), '.cache'), 'residency', 'code');
}

/**
 * True if the folder exists or could be made, belongs to this user, and nobody else may write in
 * it. Node runs what is kept there without comparing it with the source, so a folder in `/tmp` that
 * somebody else made first is not an option. Makes the cache folder and what is below it, never the
 * home of a user who has none.
 */
export function isOurs(folder) {
  try {
    for (const path of [dirname(dirname(folder)), dirname(folder), folder]) {
      const found = lstatSync(path, { throwIfNoEntry: false });
      if (found === undefined) mkdirSync(path, { mode: 0o700 });
    }
    const found = lstatSync(folder);
    return found.isDirectory() && found.uid === process.getuid?.() && (found.mode & 0o022) === 0;
  } catch {
    return false;
  }
}

/**
 * Keeps compiled code, without its types, between runs. Without a safe folder (no home, a read-only
 * file system) nothing is kept. `NODE_COMPILE_CACHE` names another folder,
 * `NODE_DISABLE_COMPILE_CACHE=1` keeps nothing; Node reads both itself. The first is set here too,
 * because a worker thread (the embedded log's) would otherwise compile everything again.
 */
export function keepCompiledCode(env) {
  if (env['NODE_COMPILE_CACHE'] !== undefined) return;
  const folder = codeCacheFolder(env);
  if (!isOurs(folder)) return;
  enableCompileCache(folder);
  env['NODE_COMPILE_CACHE'] = folder;
}
