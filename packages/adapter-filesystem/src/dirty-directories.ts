import { posix } from 'node:path';
import pLimit from 'p-limit';

/** The number of concurrent syncs. More have no effect, because the thread pool is smaller. */
const CONCURRENT_SYNCS = 32;

/** Directories (relative to a site, `.` = its root) with entries that may not be durable yet. */
export class DirtyDirectories {
  readonly #sync: (directory: string) => Promise<void>;
  readonly #dirty = new Set<string>();
  /** Directories whose entry in their parent is durable. */
  readonly #anchored = new Set<string>();
  readonly #mutex = pLimit(1);

  constructor(sync: (directory: string) => Promise<void>) {
    this.#sync = sync;
  }

  /**
   * Marks `directory` and each directory above it for a sync: the process that created them may
   * have crashed before it synced them.
   */
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

  /** `directory` was created just now, perhaps in place of one that was durable. */
  made(directory: string): void {
    this.#anchored.delete(directory);
  }

  /** The site is another folder now, so no entry in it counts as durable. */
  moved(): void {
    this.#anchored.clear();
  }

  /**
   * Resolves once everything touched before the call is durable. Rejects with the first failure;
   * failed directories stay dirty.
   */
  flush(): Promise<void> {
    // One flush after the other: a flush must not resolve while an earlier one still syncs
    // directories for which both answer.
    return this.#mutex(() => this.#syncAll());
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
