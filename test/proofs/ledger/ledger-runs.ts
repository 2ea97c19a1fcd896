import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  FilesystemLedgerStore,
  initLedgerDirectory,
  openLedgerDirectory,
} from '@residency/adapter-filesystem';
import { remedyOf } from '@residency/coded-error';
import { FaultyLedgerStore, seededFaults, someAuditRecords } from '@residency/testkit';
import { SeededRandom } from '../seeded-random.ts';
import { ExpectedLedger } from './expected-ledger.ts';
import { growDirectory } from './grow-directory.ts';
import { judgeLedger, publishedIn } from './judge-ledger.ts';
import { KillableStore } from './killable-store.ts';

export interface LedgerTally {
  runs: number;
  /** The number of writers. */
  lives: number;
  /** Writers that never returned from a store call, which took effect or not. */
  abandoned: number;
  /** Processes killed during a write. */
  killed: number;
  /** Calls that failed, with or without an effect. */
  faults: number;
  records: number;
  checkpoints: number;
  files: number;
  forks: number;
  missing: number;
  fsckFaults: number;
  /** Checkpoints that were smaller than an earlier one. */
  wentBack: number;
  /** The first faults, each with its seed. */
  readonly findings: string[];
}

export interface LedgerRunOptions {
  readonly runs: number;
  /** The seed of the first run; the next ones increment it. */
  readonly seed: number;
  readonly onRun?: (tally: LedgerTally) => void;
}

const MOST_RECORDS = 900;
const IN_HAND_MS = 150;

/**
 * Each run: writers over one directory, one after the other, that fail, die in the middle or are
 * killed at seeded moments; then one that ends, and the judgement.
 */
export async function ledgerRuns({ runs, seed, onRun }: LedgerRunOptions): Promise<LedgerTally> {
  const tally: LedgerTally = {
    runs: 0,
    lives: 0,
    abandoned: 0,
    killed: 0,
    faults: 0,
    records: 0,
    checkpoints: 0,
    files: 0,
    forks: 0,
    missing: 0,
    fsckFaults: 0,
    wentBack: 0,
    findings: [],
  };
  for (let run = 0; run < runs; run += 1) {
    const parent = await mkdtemp(join(tmpdir(), 'residency-ledger-proof-'));
    try {
      await new LedgerRun(join(parent, 'ledger'), seed + run, tally).run();
    } finally {
      await rm(parent, { recursive: true, force: true });
    }
    tally.runs += 1;
    onRun?.(tally);
  }
  return tally;
}

export function failed({ forks, missing, fsckFaults, wentBack }: LedgerTally): boolean {
  return forks + missing + fsckFaults + wentBack > 0;
}

class LedgerRun {
  readonly #directory: string;
  readonly #seed: number;
  readonly #tally: LedgerTally;
  readonly #random: SeededRandom;
  readonly #records;
  readonly #expected: ExpectedLedger;
  #largest = 0;

  constructor(directory: string, seed: number, tally: LedgerTally) {
    this.#directory = directory;
    this.#seed = seed;
    this.#tally = tally;
    this.#random = new SeededRandom(seed);
    this.#records = someAuditRecords(1 + this.#random.below(MOST_RECORDS));
    this.#expected = new ExpectedLedger(this.#records);
  }

  async run(): Promise<void> {
    await initLedgerDirectory(this.#directory);
    let visible = 0;
    for (let lives = 2 + this.#random.below(5); lives > 0; lives -= 1) {
      visible += this.#random.below(this.#records.length - visible + 1);
      await this.#live(visible);
      await this.#look();
    }
    await this.#grow(new FilesystemLedgerStore(this.#directory), this.#records.length);
    await this.#look();
    const { files, heads, forks, missing, fsck } = await judgeLedger(
      this.#directory,
      this.#expected,
    );
    this.#tally.records += this.#records.length;
    this.#tally.files += files;
    this.#tally.checkpoints += heads;
    this.#tally.forks += forks.length;
    this.#tally.missing += missing.length;
    this.#tally.fsckFaults += fsck.length;
    for (const finding of [...forks, ...missing, ...fsck]) this.#finding(finding);
  }

  async #live(visible: number): Promise<void> {
    this.#tally.lives += 1;
    const way = this.#random.below(10);
    if (way < 5) await this.#abandoned(visible);
    else if (way < 8) await this.#faulty(visible);
    else await this.#killed(visible);
  }

  /** Dies in one of its first calls, usually in the middle of its work. */
  async #abandoned(visible: number): Promise<void> {
    const store = new KillableStore(new FilesystemLedgerStore(this.#directory), {
      calls: 1 + this.#random.below(this.#random.chance(0.5) ? 12 : 120),
      persists: this.#random.chance(0.5),
    });
    const end = await Promise.race([
      store.killed.then(() => 'killed'),
      this.#grow(store, visible).then(() => 'ended'),
    ]);
    if (end === 'killed') this.#tally.abandoned += 1;
    await store.quiet();
  }

  async #faulty(visible: number): Promise<void> {
    const store = new FaultyLedgerStore(
      new FilesystemLedgerStore(this.#directory),
      seededFaults(this.#random.below(2 ** 31), 0.03 + this.#random.next() * 0.1),
    );
    for (let tries = 0; tries < 20; tries += 1) {
      try {
        await this.#grow(store, visible);
        break;
      } catch (error) {
        if (remedyOf(error) !== 'retry') throw error;
        await this.#look();
      }
    }
    this.#tally.faults += store.calls.filter(({ fault }) => fault !== 'pass').length;
  }

  async #killed(visible: number): Promise<void> {
    await openLedgerDirectory(this.#directory);
    const script = fileURLToPath(new URL('grow-process.ts', import.meta.url));
    const child = spawn(
      process.execPath,
      [
        '--disable-warning=ExperimentalWarning',
        script,
        this.#directory,
        String(visible),
        String(this.#random.below(2 ** 31)),
      ],
      { stdio: ['ignore', 'ignore', 'inherit'] },
    );
    const closed = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
    await firstFile(join(this.#directory, 'tmp'), closed);
    await Promise.race([closed, sleep(this.#random.below(IN_HAND_MS))]);
    child.kill('SIGKILL');
    const [code, signal] = await closed;
    if (signal === 'SIGKILL') this.#tally.killed += 1;
    else if (code !== 0)
      throw new Error(
        `Expected the writer to end well or be killed, found exit code ${String(code)}.`,
      );
  }

  async #grow(store: Parameters<typeof growDirectory>[0], visible: number): Promise<void> {
    // Each writer has random numbers of its own, so that its failures do not change those of the
    // next one.
    const own = new SeededRandom(this.#random.below(2 ** 31));
    const most = 1 + own.below(own.chance(0.5) ? 40 : 600);
    await growDirectory(store, this.#records.slice(0, visible), {
      batch: () => 1 + own.below(most),
      intervalMs: own.pick([0, 300, 10_000]),
    });
  }

  /** Reads the ledger as an outsider does at this moment. */
  async #look(): Promise<void> {
    const head = await publishedIn(this.#directory);
    const size = head?.size ?? 0;
    if (size < this.#largest) {
      this.#tally.wentBack += 1;
      this.#finding(`the checkpoint went back from ${this.#largest} to ${size}`);
    }
    this.#largest = Math.max(this.#largest, size);
    if (
      head === undefined ||
      Buffer.compare(head.root, this.#expected.roots[size] ?? new Uint8Array()) === 0
    )
      return;
    this.#tally.forks += 1;
    this.#finding(`a checkpoint of size ${size} had another root`);
  }

  #finding(what: string): void {
    if (this.#tally.findings.length < 20) this.#tally.findings.push(`seed ${this.#seed}: ${what}`);
  }
}

/** Resolves when a file is being written, or when the writer ended. */
async function firstFile(directory: string, closed: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const watcher = watch(directory, () => {
    resolve();
  });
  await Promise.race([promise, closed]);
  watcher.close();
}
