import { availableParallelism, cpus, loadavg } from 'node:os';
import { formatBytes } from '../workload.ts';
import type { Workload } from '../workload.ts';
import { Child } from './child.ts';
import { measureLatencies } from './latency.ts';
import type { MainThread } from './main-thread-profile.ts';
import { measureMemory } from './memory.ts';
import { USAGE, readOptions } from './options.ts';
import type { StackBenchOptions } from './options.ts';
import type { StepsOrder } from './orders.ts';
import {
  coresTable,
  latencyTable,
  mainThreadTable,
  memoryTable,
  rateOf,
  ratesTable,
  stepsTable,
} from './report.ts';
import type { Row, StackPair } from './report.ts';
import { DisturbedRun, floorRun, routersRun } from './runs.ts';
import type { Run } from './runs.ts';
import { Stand } from './stand.ts';
import type { Published } from './stand.ts';
import type { Steps } from './step-clock.ts';

// What routing costs in a deployment with Kafka and Redis, at an endpoint that keeps nothing,
// against a floor measured in the same run. How: README.md beside this file. Progress goes to
// standard error.

async function main(options: StackBenchOptions): Promise<void> {
  print(heading(options));
  const stand = await Stand.open(options);
  try {
    const rows = await measureRates(stand, options);
    await measureLatency(stand, rows, options);
    await measureMemoryUse(stand, options);
    for (const workload of options.steps) await measureSteps(stand, workload);
    print(`Load average at the end ${loads()}.`);
  } finally {
    await stand.close();
  }
}

async function measureRates(
  stand: Stand,
  { series, pairs }: StackBenchOptions,
): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for (const { workload, routers } of series)
    rows.push(...(await measureRounds(stand, workload, routers, pairs)));
  print(ratesTable(rows));
  print(`Cores in use meanwhile, of ${availableParallelism()}:\n\n${coresTable(rows)}`);
  return rows;
}

const TRIES = 3;

/** Alternates, so that changes of the machine's speed affect all of them. */
async function measureRounds(
  stand: Stand,
  workload: Workload,
  routers: number,
  pairs: number,
): Promise<readonly Row[]> {
  const rows = Array.from({ length: routers }, (_, index) => ({
    workload,
    routers: index + 1,
    pairs: [] as StackPair[],
  }));
  for (let round = 1; round <= pairs; round += 1) {
    const published = await stand.publish(workload);
    const floor = await floorRun(stand, published);
    say(`floor, ${round} of ${pairs}, ${found(workload, floor)}`, workload);
    for (const row of rows) {
      // The first of them settles what the floor has read. Settled samples stay settled, so each
      // further run has samples of its own.
      const subject = await undisturbed(
        stand,
        row,
        row.routers === 1 ? published : await stand.publish(workload),
      );
      say(
        `${row.routers} ${row.routers === 1 ? 'router' : 'routers'}, ${round} of ${pairs}, ${found(workload, subject)}`,
        workload,
      );
      row.pairs.push({ subject, floor });
    }
  }
  return rows;
}

async function undisturbed(
  stand: Stand,
  { workload, routers }: Row,
  published: Published,
): Promise<Run> {
  for (
    let [tries, samples] = [1, published];
    ;
    [tries, samples] = [tries + 1, await stand.publish(workload)]
  ) {
    try {
      return await routersRun(stand, samples, routers);
    } catch (error) {
      if (!(error instanceof DisturbedRun) || tries === TRIES) throw error;
      say(`once more with other samples: ${error.message}`, workload);
    }
  }
}

/** Printed at once, for observers and in case a later step fails. */
function found({ count }: Workload, { seconds, cpuSeconds }: Run): string {
  return `${Math.round(count / seconds)} samples/s, ${Math.round((cpuSeconds * 1e6) / count)} CPU µs a sample`;
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
  return `${new Date().toISOString().slice(0, 16)}Z, Node.js ${process.versions.node}, ${process.platform} ${process.arch}, ${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${pairs} ${pairs === 1 ? 'pair' : 'pairs'}, load average at the start ${loads()}.`;
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
