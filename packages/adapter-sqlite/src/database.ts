import { DatabaseSync } from 'node:sqlite';
import type { SQLInputValue, StatementSync } from 'node:sqlite';
import { explainSqlite } from './sqlite-log-error.ts';

/** A connection with cached prepared statements, transactions that always end, and coded errors. */
export class Database {
  readonly #db: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();

  constructor(file: string, busyTimeoutMs: number) {
    this.#db = coded(() => new DatabaseSync(file, { timeout: busyTimeoutMs }));
  }

  exec(sql: string): void {
    coded(() => {
      this.#db.exec(sql);
    });
  }

  /** Returns the number of changed rows. */
  run(sql: string, ...parameters: SQLInputValue[]): number {
    return coded(() => Number(this.#prepare(sql).run(...parameters).changes));
  }

  /** `Row` is what the statement selects: the schema is ours, its columns are STRICT. */
  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- the caller knows what its statement selects
  get<Row>(sql: string, ...parameters: SQLInputValue[]): Row | undefined {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
    return coded(() => this.#prepare(sql).get(...parameters) as Row | undefined);
  }

  // oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- see `get`
  all<Row>(sql: string, ...parameters: SQLInputValue[]): Row[] {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see `get`
    return coded(() => this.#prepare(sql).all(...parameters) as Row[]);
  }

  /** Runs `work` in one read transaction, that is, on one snapshot. */
  reading<T>(work: () => T): T {
    return this.#transaction('BEGIN', work);
  }

  /**
   * Takes the write lock first, so that values that `work` reads cannot change before it writes.
   */
  writing<T>(work: () => T): T {
    return this.#transaction('BEGIN IMMEDIATE', work);
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
  }

  #transaction<T>(begin: string, work: () => T): T {
    this.exec(begin);
    try {
      const result = work();
      this.exec('COMMIT');
      return result;
    } catch (error) {
      // On a full disk SQLite rolls back by itself.
      if (this.#db.isTransaction) this.exec('ROLLBACK');
      throw error;
    }
  }

  #prepare(sql: string): StatementSync {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#db.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }
}

function coded<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw explainSqlite(error);
  }
}
