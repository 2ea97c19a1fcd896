import { execFile, execFileSync } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Measurement } from './meter.ts';
import type { Workload } from './workload.ts';

const run = promisify(execFile);

// ext4 does not reuse inodes for minutes after they were freed, and skips all of them for each new
// file. Runs after the removal of thousands of files spent most of their time there. So only small
// folders are removed at once.
const FEW_FILES = 100;

/**
 * Runs each measurement in a process and a folder of its own. This process stays small: on Linux a
 * child's peak memory begins with its parent's, so large samples are published by a child too.
 */
export class Workshop {
  readonly #root: string;
  #runs = 0;

  private constructor(root: string) {
    this.#root = root;
  }

  /**
   * Creates an empty data directory from which all others are copied, because making keys takes
   * long.
   */
  static async open(under: string): Promise<Workshop> {
    const workshop = new Workshop(await mkdtemp(join(under, 'residency-bench-')));
    await workshop.#child('publish-process.ts', [
      workshop.#path('empty'),
      JSON.stringify({ bytes: 1, count: 0, region: 'zurich' } satisfies Workload),
    ]);
    return workshop;
  }

  /** `work` may route the workload any number of times, each time from the start. */
  async with<T>(workload: Workload, work: (published: Published) => Promise<T>): Promise<T> {
    const template = this.#path('template');
    await cp(this.#path('empty'), template, { recursive: true });
    try {
      await this.#child('publish-process.ts', [template, JSON.stringify(workload)]);
      return await work({
        subject: () =>
          this.#inFolder(
            workload,
            template,
            async (directory) =>
              JSON.parse(
                await this.#child('subject-process.ts', [directory, String(workload.count)]),
              ) as Measurement,
          ),
        steps: (inWork) =>
          this.#inFolder(
            workload,
            template,
            async (directory) =>
              JSON.parse(
                await this.#child('steps-process.ts', [
                  directory,
                  JSON.stringify(workload),
                  inWork,
                ]),
              ) as Readonly<Record<string, number>>,
          ),
        floor: () =>
          this.#inFolder(
            workload,
            undefined,
            async (directory) =>
              JSON.parse(
                await this.#child('floor-process.ts', [directory, JSON.stringify(workload)]),
              ) as Measurement,
          ),
      });
    } finally {
      await rm(template, { recursive: true });
    }
  }

  async close(): Promise<void> {
    await rm(this.#root, { recursive: true });
  }

  async #inFolder<T>(
    { count }: Workload,
    template: string | undefined,
    work: (directory: string) => Promise<T>,
  ): Promise<T> {
    const directory = this.#path(`run-${(this.#runs += 1)}`);
    if (template === undefined) await mkdir(directory);
    else await cp(template, directory, { recursive: true });
    // Otherwise the first fsync of the run would wait for the copied data.
    execFileSync('sync');
    const result = await work(directory);
    if (count <= FEW_FILES) await rm(directory, { recursive: true });
    else await rm(join(directory, 'log.db'), { force: true });
    return result;
  }

  async #child(script: string, args: readonly string[]): Promise<string> {
    // Sixteen threads, as services/cli/bin/residency.js starts the router with.
    const env = { ...process.env, UV_THREADPOOL_SIZE: '16' };
    const { stdout } = await run(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', join(import.meta.dirname, script), ...args],
      { env },
    );
    return stdout;
  }

  #path(name: string): string {
    return join(this.#root, name);
  }
}

/** A workload in the log of a data directory. */
export interface Published {
  readonly subject: () => Promise<Measurement>;
  readonly floor: () => Promise<Measurement>;
  /** Microseconds a sample by step; `one`: a single sample in work at a time. */
  readonly steps: (inWork: 'all' | 'one') => Promise<Readonly<Record<string, number>>>;
}
