import { statSync } from 'node:fs';
import { SqliteLogError } from './sqlite-log-error.ts';

/**
 * The identity of the opened file. SQLite continues with a file that was moved or deleted: its
 * later records are lost when the process ends, and other processes see another log.
 */
export class FileIdentity {
  readonly #file: string;
  readonly #opened: string | undefined;

  constructor(file: string) {
    this.#file = file;
    this.#opened = identityOf(file);
  }

  /**
   * Throws `LOG_REPLACED` (stop) if the path now names another file, or none. Takes a few
   * microseconds.
   */
  requireSameFile(): void {
    if (identityOf(this.#file) === this.#opened) return;
    throw new SqliteLogError({
      code: 'LOG_REPLACED',
      remedy: 'stop',
      message:
        "Expected the log's file to be the one that was opened, found another or none in its place: it was replaced while in use. Nothing more is kept or settled. Stop every process of this data directory, put the right file there with its -wal file, and start again.",
    });
  }
}

function identityOf(file: string): string | undefined {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  return found === undefined ? undefined : `${found.dev}/${found.ino}`;
}
