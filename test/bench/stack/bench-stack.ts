import { availableParallelism, loadavg } from 'node:os';
import { note } from '../report.ts';
import { formatBytes } from '../workload.ts';
import type { Workload } from '../workload.ts';
import { Child } from './child.ts';
import {
  machine,
  originNow,
  readCommitted,
  rounded,
  shortOf,
  withRows,
  withShort,
  writeCommitted,
} from './committed.ts';
import type { CommittedRow, CommittedTable } from './committed.ts';
import { measureLatencies } from './latency.ts';
import type { MainThread } from './main-thread-profile.ts';
import { measureMemory } from './memory.ts';
import { SHORT, USAGE, readOptions } from './options.ts';
import type { StackBenchOptions } from './options.ts';
import type { StepsOrder } from './orders.ts';
import {
  PEER,
  committedRow,
  coresTable,
  isBusy,
  isQuiet,
  latencyTable,
  mainThreadTable,
  memoryTable,
  nameOf,
  rateOf,
  ratesTable,
  stepsTable,
} from './report.ts';
import type { Row, StackPair } from './report.ts';
import { DisturbedRun, evenIfDisturbed, floorRun, peerRun, routersRun } from './runs.ts';
import type { Run } from './runs.ts';
import { areEnoughToCommit, measureShort, shortTable, tooHeavyText } from './short.ts';
import { Stand } from './stand.ts';
import type { Published } from './stand.ts';
import type { Steps } from './step-clock.ts';
import { lowestRatio, verdictOf } from './verdict.ts';

// What routing costs in a deployment with Kafka and Redis, at an endpoint that keeps nothing,
// against a floor measured in the same run. How: README.md beside this file. Progress goes to
// standard error.

async function main(options: StackBenchOptions): Promise<void> {
  print(heading(options));
  const before = await readCommitted(options.committed);
  const stand = await Stand.open(options);
  try {
    await (options.short ? measureInShort : measureAll)(stand, options, before);
  } finally {
    await stand.close();
  }
}

async function measureAll(
  stand: Stand,
  options: StackBenchOptions,
  before: CommittedTable,
): Promise<void> {
  const rows = await measureRates(stand, options);
  print(ratesTable(rows, before));
  print(`Cores in use meanwhile, of ${availableParallelism()}:\n\n${coresTable(rows)}`);
  if (options.commitTable)
    await writeCommitted(options.committed, withRows(before, await committedRows(rows)));
  await measureLatency(stand, rows, options);
  await measureMemoryUse(stand, options);
  for (const workload of options.steps) await measureSteps(stand, workload);
  print(`Load average at the end ${loads()}.`);
}

async function measureInShort(
  stand: Stand,
  { routerEnv, commitTable, committed }: StackBenchOptions,
  before: CommittedTable,
): Promise<void> {
  const compared = commitTable ? undefined : shortOf(before, machine());
  const pairs = await measureShort(
    stand,
    {
      workload: SHORT,
      routerEnv,
      enough:
        compared === undefined
          ? areEnoughToCommit
          : (each) => verdictOf(each, compared) !== undefined,
    },
    note,
  );
  if (compared === undefined) {
    const short = {
      ...(await originNow()),
      samples: SHORT.count,
      timesFloorCpu: rounded(lowestRatio(pairs.filter((pair) => isQuiet(pair)))),
    };
    await writeCommitted(committed, withShort(before, short));
    print(shortTable(SHORT, pairs, short));
    return;
  }
  print(shortTable(SHORT, pairs, compared));
  const verdict = verdictOf(pairs, compared);
  if (verdict === 'too heavy') end(1, tooHeavyText(lowestRatio(pairs), compared));
  if (verdict === 'busy')
    end(
      3,
      'Expected some quiet rounds to judge by, found none; run this again when nothing else runs.',
    );
}

function end(code: number, message: string): void {
  process.stderr.write(`${message}\n`);
  process.exitCode = code;
}

async function committedRows(rows: readonly Row[]): Promise<readonly CommittedRow[]> {
  const origin = await originNow();
  return rows.flatMap((row) => committedRow(row, origin) ?? []);
}

async function measureRates(
  stand: Stand,
  { series, ...how }: StackBenchOptions,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const { workload, routers } of series)
    rows.push(...(await measureRounds(stand, { ...how, workload, routers })));
  return rows;
}

const TRIES = 3;

interface Rounds extends Pick<StackBenchOptions, 'quick' | 'pairs' | 'peer' | 'routerEnv'> {
  readonly workload: Workload;
  readonly routers: number;
}

/** Alternates, so that changes of the machine's speed affect all of them. */
async function measureRounds(
  stand: Stand,
  { workload, quick, routers, pairs, peer, routerEnv }: Rounds,
): Promise<readonly Row[]> {
  const rows = Array.from({ length: routers }, (_, index) => ({
    workload,
    routers: index + 1,
    pairs: [] as StackPair[],
  }));
  const peers = { workload, routers: PEER, pairs: [] as StackPair[] } as const;
  for (let round = 1; round <= pairs; round += 1) {
    const tell = (what: string, run: Run): void => {
      say(`${what}, ${round} of ${pairs}, ${found(workload, run)}`, workload);
    };
    const published = await stand.publish(workload);
    const floor = await floorRun(stand, published);
    tell('floor', floor);
    if (peer !== undefined) {
      const subject = await peerRun(stand, published, peer);
      tell('peer', subject);
      peers.pairs.push({ subject, floor });
    }
    for (const row of rows) {
      // The first of them settles what the floor has read. Settled samples stay settled, so each
      // further run has samples of its own.
      const samples = row.routers === 1 ? published : await stand.publish(workload);
      const order = { workload, routers: row.routers, env: routerEnv };
      const subject = quick
        ? await evenIfDisturbed(routersRun(stand, samples, order))
        : await undisturbed(stand, order, samples);
      tell(nameOf(row), subject);
      row.pairs.push({ subject, floor });
    }
  }
  return peer === undefined ? rows : [...rows, peers];
}

async function undisturbed(
  stand: Stand,
  {
    workload,
    ...how
  }: {
    readonly workload: Workload;
    readonly routers: number;
    readonly env: Readonly<Record<string, string>>;
  },
  published: Published,
): Promise<Run> {
  for (
    let [tries, samples] = [1, published];
    ;
    [tries, samples] = [tries + 1, await stand.publish(workload)]
  ) {
    try {
      return await routersRun(stand, samples, how);
    } catch (error) {
      if (!(error instanceof DisturbedRun) || tries === TRIES) throw error;
      say(`once more with other samples: ${error.message}`, workload);
    }
  }
}

/** Printed at once, for observers and in case a later step fails. */
function found({ count }: Workload, run: Run): string {
  const { seconds, cpuSeconds } = run;
  return `${Math.round(count / seconds)} samples/s, ${Math.round((cpuSeconds * 1e6) / count)} CPU µs a sample${isBusy(run) ? ', busy' : ''}`;
}

async function measureLatency(
  stand: Stand,
  rows: readonly Row[],
  { latencySeconds: seconds, warmUpSeconds, series: [first] }: StackBenchOptions,
): Promise<void> {
  if (seconds === 0) return;
  const measured = [];
  for (const row of rows.filter(
    ({ workload: { region }, routers }) => routers === 1 && region === first?.workload.region,
  )) {
    const perSecond = rateOf(row) / 2;
    say(`latency, ${seconds} s at ${perSecond.toFixed(1)} a second`, row.workload);
    measured.push({
      workload: row.workload,
      latencies: await measureLatencies(stand, row.workload, { perSecond, seconds, warmUpSeconds }),
    });
  }
  print(
    `From append to audit event, one router at half of its highest rate. At least ${gateMs(stand)} ms of it are the gate's: a record is decided once both views are that far beyond its append time, and they move with each tick, every 250 ms.\n\n${latencyTable(measured)}`,
  );
}

function gateMs({ deployment: { env } }: Stand): string {
  return env['RESIDENCY_WATERMARK_MARGIN_MS'] ?? '1,000';
}

async function measureMemoryUse(
  stand: Stand,
  {
    memoryMinutes: minutes,
    memory,
    memoryEverySeconds: everySeconds,
    memoryWaiting: waiting,
  }: StackBenchOptions,
): Promise<void> {
  if (minutes === 0) return;
  say(`memory, ${minutes} minutes`, memory);
  const course = await measureMemory(stand, memory, { minutes, everySeconds, waiting });
  print(
    `Resident memory of one router that always has more waiting than it can do, ${formatBytes(memory.bytes)}, ${memory.region}:\n\n${memoryTable(course)}`,
  );
}

async function measureSteps(stand: Stand, workload: Workload): Promise<void> {
  const run = async <T>(mode: StepsOrder['mode']): Promise<T> => {
    await stand.publish(workload, 'one');
    say(`steps, ${mode}`, workload);
    return await Child.run<T>(
      'steps-process.ts',
      { count: workload.count, mode } satisfies StepsOrder,
      stand.deployment.env,
    );
  };
  const [all, one, mainThread] = [
    await run<Steps>('all'),
    await run<Steps>('one'),
    await run<MainThread>('profiled'),
  ];
  print(
    `Steps at ${formatBytes(workload.bytes)}, ${workload.region}, one partition, in runs of their own:\n\n${stepsTable(all, one)}\n\n${mainThreadTable(mainThread)}`,
  );
}

function heading({ pairs }: StackBenchOptions): string {
  return `${new Date().toISOString().slice(0, 16)}Z, Node.js ${process.versions.node}, ${machine()}, ${pairs} ${pairs === 1 ? 'pair' : 'pairs'}, load average at the start ${loads()}.`;
}

function loads(): string {
  return loadavg()
    .map((load) => load.toFixed(1))
    .join(', ');
}

function print(text: string): void {
  process.stdout.write(`${text}\n\n`);
}

function say(what: string, { bytes, count, region }: Workload): void {
  process.stderr.write(
    `${new Date().toISOString().slice(11, 19)} ${what}: ${count === 0 ? '' : `${count} × `}${formatBytes(bytes)}, ${region}\n`,
  );
}

let options: StackBenchOptions | undefined;
try {
  options = readOptions(process.argv.slice(2));
} catch (error) {
  process.stderr.write(
    `${error instanceof Error ? error.message : 'Expected options as follows.'}\n${USAGE}`,
  );
  process.exitCode = 2;
}
if (options !== undefined) {
  // Ctrl-C ends the current run. This process then fails by itself, and leaves nothing behind.
  process.once('SIGINT', () => undefined);
  await main(options);
}
