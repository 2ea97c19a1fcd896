import { posix } from 'node:path';

/** Open files at a time; more gain nothing, the thread pool is smaller. */
const CONCURRENT_SYNCS = 32;

/** Directories (relative to a site, `.` = its root) whose names are not known to be durable yet. */
export class DirtyDirectories {
  readonly #sync: (directory: string) => Promise<void>;
  readonly #dirty = new Set<string>();
  /** Directories whose own name in their parent is durable. */
  readonly #anchored = new Set<string>();
  #last: Promise<void> = Promise.resolve();

  constructor(sync: (directory: string) => Promise<void>) {
    this.#sync = sync;
  }

  /** A name in `directory` is to be made durable, with every directory that leads there: whoever made those may have crashed before syncing. */
  touch(directory: string): void {
    this.#dirty.add(directory);
    for (
      let child = directory;
      child !== '.' && !this.#anchored.has(child);
      child = posix.dirname(child)
    ) {
      this.#dirty.add(posix.dirname(child));
    }
  }

  /** `directory` was made just now, perhaps in place of one that was known to be durable. */
  made(directory: string): void {
    this.#anchored.delete(directory);
  }

  /** Resolves once all that was touched before the call is durable. What failed stays dirty; rejects with the first failure. */
  flush(): Promise<void> {
    // One after the other: a flush must not resolve while an earlier one still syncs what it answers for too.
    const next = this.#last.then(
      () => this.#syncAll(),
      () => this.#syncAll(),
    );
    this.#last = next;
    return next;
  }

  async #syncAll(): Promise<void> {
    const batch = new Set(this.#dirty);
    this.#dirty.clear();
    const failures = new Map<string, unknown>();
    const queue = batch.values();
    await Promise.all(
      Array.from({ length: Math.min(CONCURRENT_SYNCS, batch.size) }, async () => {
        for (const directory of queue) {
          try {
            await this.#sync(directory);
          } catch (error) {
            failures.set(directory, error);
          }
        }
      }),
    );
    for (const directory of batch) {
      const parent = posix.dirname(directory);
      if (directory !== '.' && batch.has(parent) && !failures.has(parent))
        this.#anchored.add(directory);
    }
    for (const directory of failures.keys()) this.touch(directory);
    const [first] = failures.values();
    if (failures.size > 0) throw first;
  }
}
