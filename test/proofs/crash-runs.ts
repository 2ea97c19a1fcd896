import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { watch } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { DataCopies, reconcileOpening, routeAll, withData } from './data-copies.ts';
import { guilty, judgeDataDirectory } from './judgement.ts';
import type { Judgement } from './judgement.ts';
import { readLog, walkSites } from './on-disk.ts';
import { SeededRandom } from './seeded-random.ts';
import { Traffic, trafficConsents } from './traffic.ts';

export interface CrashTally {
  runs: number;
  /** Router processes killed while they ran. */
  kills: number;
  /** Kills that left objects or files of records that were not settled. */
  inHand: number;
  publisherKills: number;
  records: number;
  objects: number;
  lost: number;
  twice: number;
  wrongRegion: number;
  other: number;
  reconcileDifferences: number;
  /** The first faults, each with its seed. */
  readonly findings: string[];
}

export interface CrashOptions {
  readonly runs: number;
  /** The seed of the first run; the next ones increment it. */
  readonly seed: number;
  readonly onRun?: (tally: CrashTally) => void;
}

const RECORDS = 40;
// Longer than a router's whole run, so that kills hit every moment of it.
const START_MS = 900;
const IN_HAND_MS = 120;

/**
 * Each run: seeded traffic on a new data directory, routers and publishers killed at seeded
 * moments; then everything is routed and judged.
 */
export async function crashRuns({ runs, seed, onRun }: CrashOptions): Promise<CrashTally> {
  const tally: CrashTally = {
    runs: 0,
    kills: 0,
    inHand: 0,
    publisherKills: 0,
    records: 0,
    objects: 0,
    lost: 0,
    twice: 0,
    wrongRegion: 0,
    other: 0,
    reconcileDifferences: 0,
    findings: [],
  };
  const copies = await DataCopies.make(trafficConsents());
  try {
    for (let run = 0; run < runs; run += 1) {
      await copies.each((directory) => crashRun(directory, seed + run, tally));
      tally.runs += 1;
      onRun?.(tally);
    }
  } finally {
    await copies.remove();
  }
  return tally;
}

async function crashRun(directory: string, seed: number, tally: CrashTally): Promise<void> {
  const random = new SeededRandom(seed);
  const traffic = new Traffic(seed, RECORDS);
  const waiting = random.below(RECORDS);
  await withData(directory, ({ log }) => log.append(traffic.entries(0, waiting)));
  const publisher = random.chance(0.5)
    ? new Publisher(
        directory,
        seed,
        waiting,
        random.chance(0.7) ? waiting + random.below(RECORDS - waiting) : undefined,
      )
    : undefined;
  const kills = 1 + random.below(3);
  for (let kill = 0; kill < kills; kill += 1) {
    if (!(await killRouter(directory, random))) continue;
    tally.kills += 1;
    if (await leftInHand(directory)) tally.inHand += 1;
  }
  if ((await publisher?.killed()) === true) tally.publisherKills += 1;
  const acknowledged = publisher?.acknowledged ?? waiting;
  const lostAcknowledged = missing(directory, traffic, acknowledged);
  // A publisher without an acknowledgement sends again records that may have arrived.
  const differences = await withData(directory, async (data) => {
    await data.log.append(traffic.entries(acknowledged));
    const blocked = await routeAll(data);
    if (blocked !== undefined) throw blocked.error;
    return (await reconcileOpening(data)).differences.total;
  });
  add(
    tally,
    seed,
    await judgeDataDirectory(directory, (row) => traffic.expectation(row)),
    lostAcknowledged,
    differences,
  );
}

function add(
  tally: CrashTally,
  seed: number,
  judgement: Judgement,
  lostAcknowledged: readonly string[],
  differences: number,
): void {
  tally.records += judgement.records;
  tally.objects += judgement.objects;
  tally.lost += judgement.lost.length + lostAcknowledged.length;
  tally.twice += judgement.twice.length;
  tally.wrongRegion += judgement.wrongRegion.length;
  tally.other += judgement.other.length;
  tally.reconcileDifferences += differences;
  for (const finding of [...lostAcknowledged, ...guilty(judgement)])
    if (tally.findings.length < 20) tally.findings.push(`seed ${seed}: ${finding}`);
}

/** True if a promise was broken. */
export function failed({
  lost,
  twice,
  wrongRegion,
  other,
  reconcileDifferences,
}: CrashTally): boolean {
  return lost + twice + wrongRegion + other + reconcileDifferences > 0;
}

/**
 * Starts a router and kills it at a random moment: of its whole run, or of the time with a batch in
 * hand. `false`: it had ended.
 */
async function killRouter(directory: string, random: SeededRandom): Promise<boolean> {
  const child = start('route-process.ts', directory, 1 + random.below(16));
  const exited = exit(child);
  const inHand = random.chance(0.7);
  const afterMs = random.below(inHand ? IN_HAND_MS : START_MS);
  await Promise.race([
    exited,
    (async () => {
      if (inHand) await firstFile(directory, exited);
      await sleep(afterMs);
    })(),
  ]);
  child.kill('SIGKILL');
  return (await exited) === 'SIGKILL';
}

/** Resolves when a file is being written to a site, or when the router ends. */
async function firstFile(directory: string, exited: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const watchers = (await readdir(join(directory, 'sites'))).map((site) =>
    watch(join(directory, 'sites', site, 'tmp'), () => {
      resolve();
    }),
  );
  await Promise.race([promise, exited]);
  for (const watcher of watchers) watcher.close();
}

async function leftInHand(directory: string): Promise<boolean> {
  const { objects, temporaries } = await walkSites(directory);
  const settled = new Set(
    readLog(directory)
      .audit.filter(({ outcome }) => outcome === 'stored')
      .map(({ data }) => data.submission),
  );
  return temporaries.length > 0 || objects.some(({ submission }) => !settled.has(submission));
}

/** Acknowledged records that the log does not hold. */
function missing(directory: string, traffic: Traffic, acknowledged: number): readonly string[] {
  const present = new Set(readLog(directory).intake.map((row) => traffic.indexOf(row)));
  return Array.from({ length: acknowledged }, (_, index) => index)
    .filter((index) => !present.has(index))
    .map((index) => `lost: record ${index} was acknowledged and is not on the log`);
}

class Publisher {
  acknowledged: number;
  readonly #exited: Promise<string>;

  /** `killAt`: kills it once this many are acknowledged, while the next ones are in flight. */
  constructor(directory: string, seed: number, from: number, killAt?: number) {
    this.acknowledged = from;
    const child = start('publish-process.ts', directory, seed, RECORDS, from);
    this.#exited = exit(child);
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      this.acknowledged = Number(text.trimEnd().split('\n').at(-1));
      if (killAt !== undefined && this.acknowledged >= killAt) child.kill('SIGKILL');
    });
  }

  /** Resolves when it has ended; `true`: it was killed. */
  async killed(): Promise<boolean> {
    return (await this.#exited) === 'SIGKILL';
  }
}

function start(script: string, ...args: readonly (string | number)[]): ChildProcess {
  const path = fileURLToPath(new URL(script, import.meta.url));
  return spawn(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', path, ...args.map(String)],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
}

/** How it ended: `SIGKILL`, or `0`. Any other end is a defect of the process. */
async function exit(child: ChildProcess): Promise<string> {
  // `close`, because its output has been read completely then.
  const [code, signal] = (await once(child, 'close')) as [number | null, NodeJS.Signals | null];
  if (code !== 0 && signal !== 'SIGKILL')
    throw new Error(
      `Expected the process to end well or be killed, found exit code ${String(code)}, signal ${String(signal)}.`,
    );
  return signal ?? String(code);
}
