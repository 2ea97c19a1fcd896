import { chmodSync, closeSync, openSync, statSync } from 'node:fs';

const FILE_MODE = 0o600;
/** The files that SQLite makes beside a database, with its mode. */
const BESIDE = ['-wal', '-shm', '-journal'];

/**
 * Makes a database's file readable and writable for its owner only, regardless of the umask. For an
 * existing file, and SQLite's files beside it, removes the permissions of others: a user who may
 * read a file may lock it, and another user's read lock stops the router. Throws the operating
 * system's error if the file cannot be created.
 */
export function ownerOnly(file: string): void {
  closeSync(openSync(file, 'a', FILE_MODE));
  for (const path of [file, ...BESIDE.map((suffix) => `${file}${suffix}`)]) tighten(path);
}

function tighten(path: string): void {
  try {
    if ((statSync(path).mode & 0o077) !== 0) chmodSync(path, FILE_MODE);
  } catch {
    // The file is missing, belongs to another owner, or the file system has no modes: `residency
    // doctor` reports it.
  }
}
