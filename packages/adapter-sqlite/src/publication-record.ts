import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { StatementSync } from 'node:sqlite';
import { sha256 } from '@residency/contracts/digest';
import { twoLetterCode } from '@residency/residency/assigned-code';
import { ownerOnly } from './owner-only.ts';

/** The options of a publication that an accidental second publication might change. */
export interface PublicationOptions {
  /** Upper and lower case are equal. */
  readonly country: string;
  /** Only a digest of it is kept. */
  readonly consent: string;
}

/**
 * Remembers under which country and consent a submission was published. `target` names the system,
 * because one submission may be sent to several. Every method throws if the file cannot be used.
 */
export class PublicationRecord {
  readonly #database: DatabaseSync;
  readonly #target: string;
  readonly #select: StatementSync;
  readonly #insert: StatementSync;

  /** Makes `file` and its folder if they are missing, for their owner only. */
  constructor(file: string, target: string) {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    ownerOnly(file);
    this.#target = target;
    this.#database = new DatabaseSync(file, { timeout: 10_000 });
    this.#database.exec(
      'PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS published (target TEXT, submission TEXT, country TEXT, consent TEXT, PRIMARY KEY (target, submission, country, consent)) WITHOUT ROWID, STRICT',
    );
    this.#select = this.#database.prepare(
      'SELECT country, consent FROM published WHERE target = ? AND submission = ?',
    );
    this.#insert = this.#database.prepare('INSERT OR IGNORE INTO published VALUES (?, ?, ?, ?)');
  }

  /**
   * The other options under which it was published; empty: none. `country` is present if it
   * differs: the code, or a digest if it was not a code.
   */
  others(
    submission: string,
    options: PublicationOptions,
  ): readonly { readonly country?: string }[] {
    const [country, consent] = columns(options);
    const others = this.#select
      .all(this.#target, submission)
      .filter((row) => row['country'] !== country || row['consent'] !== consent);
    return others.map((row) =>
      row['country'] === country ? {} : { country: String(row['country']) },
    );
  }

  /**
   * Keeps all or none. Call it before sending, because a lost response must not hide a publication.
   */
  keep(submissions: readonly string[], options: PublicationOptions): void {
    this.#database.exec('BEGIN IMMEDIATE');
    try {
      for (const submission of submissions)
        this.#insert.run(this.#target, submission, ...columns(options));
      this.#database.exec('COMMIT');
    } catch (error) {
      this.#database.exec('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    this.#database.close();
  }
}

function columns({ country, consent }: PublicationOptions): [country: string, consent: string] {
  // A value that is not a country code may be anything, for example a person's name.
  return [twoLetterCode(country) ?? sha256(Buffer.from(country)), sha256(Buffer.from(consent))];
}
