import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { figure, median, note, table } from '../report.ts';
import { runBenchmark } from '../run-benchmark.ts';
import { readNumber, readSize } from '../stack/options.ts';
import { residentBytes, subjectOf } from '../stack/process-figures.ts';
import { formatBytes } from '../workload.ts';
import { readSlowly } from './slow-reader.ts';
import type { SlowReader } from './slow-reader.ts';
import { APPROVED_PURPOSE, VaultStand } from './vault-stand.ts';

// `npm run bench:vault`: how long an access takes by how often the auditor publishes, how many a
// second there are, and what slow readers cost. The baseline of the times is the repeated download
// of an access that is public already; of the rates, that of one client; of the memory, readers who
// take all at once, one after another. One Kafka broker and S3Proxy; their CPU and the clients' are in no figure.

export interface VaultBench {
  /** Accesses of each kind. */
  readonly accesses: number;
  readonly intervalsMs: readonly number[];
  readonly clients: number;
  readonly seconds: number;
  readonly bytes: number;
  readonly largeBytes: number;
  readonly readers: number;
  readonly readSeconds: number;
  /** Of the stack's servers. */
  readonly longRunning: boolean;
}

const KINDS = ['repeated', 'asked for', 'approved'] as const;
type Kind = (typeof KINDS)[number];

export interface Latency {
  readonly intervalMs: number;
  /** Milliseconds from the first request to the last byte. */
  readonly ms: Readonly<Record<Kind, readonly number[]>>;
}

export interface Rate {
  readonly what: 'recorded' | 'given out' | 'repeated';
  readonly clients: number;
  readonly perSecond: number;
  /** CPU microseconds of the custodian, each. */
  readonly cpu: number;
  /** Answers 503 for each. */
  readonly again: number;
}

export interface Memory {
  /** `asking`: they only ask for it, all at once. */
  readonly readers: 'fast' | 'asking' | 'slow';
  /** Of them, those that were answered with it, or with an access; the others with 503. */
  readonly served: number;
  readonly beforeBytes: number;
  /** The highest. */
  readonly peakBytes: number;
  /** What somebody else who asks for a small sample is answered meanwhile. */
  readonly another: string;
}

export interface VaultFigures {
  readonly latencies: readonly Latency[];
  readonly rates: readonly Rate[];
  readonly memory: readonly Memory[];
}

const [SMALL, LARGE] = [0, 1];

export async function measureVault(options: VaultBench): Promise<VaultFigures> {
  const stand = await VaultStand.open([options.bytes, options.largeBytes], options.longRunning);
  try {
    const latencies: Latency[] = [];
    let rates: readonly Rate[] = [];
    for (const [nth, intervalMs] of options.intervalsMs.entries()) {
      note(`a checkpoint every ${intervalMs} ms`);
      await stand.restart(intervalMs);
      latencies.push({ intervalMs, ms: await latenciesAt(stand, options, intervalMs) });
      if (nth === 0) rates = await measureRates(stand, options);
    }
    return { latencies, rates, memory: await measureMemory(stand, options) };
  } finally {
    await stand.close();
  }
}

async function latenciesAt(
  stand: VaultStand,
  { accesses }: VaultBench,
  intervalMs: number,
): Promise<Latency['ms']> {
  const known = await stand.ask(0);
  await stand.get(known);
  const repeated: number[] = [];
  for (let nth = 0; nth < accesses; nth += 1)
    repeated.push(await timed(async () => await stand.get(known)));
  return {
    repeated,
    'asked for': await spreadOver(intervalMs, accesses, async (client) => {
      await stand.get(await stand.ask(client), client);
    }),
    approved: await spreadOver(intervalMs, accesses, async (client) => {
      const access = await stand.ask(client, SMALL, APPROVED_PURPOSE);
      await stand.approve(client + 1, access);
      await stand.get(access, client);
    }),
  };
}

/** They begin evenly within an interval: one after another would all begin at a checkpoint. */
async function spreadOver(
  intervalMs: number,
  count: number,
  work: (client: number) => Promise<void>,
): Promise<readonly number[]> {
  return await Promise.all(
    Array.from({ length: count }, async (_, client) => {
      await sleep((client * intervalMs) / count);
      return await timed(() => work(client));
    }),
  );
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function measureRates(stand: VaultStand, options: VaultBench): Promise<readonly Rate[]> {
  const known = await Promise.all(stand.tokens.map((_, client) => stand.ask(client)));
  const kinds = {
    recorded: async (client: number) => {
      await stand.ask(client);
      return 0;
    },
    'given out': async (client: number) => (await stand.get(await stand.ask(client), client)).again,
    repeated: async (client: number) =>
      (await stand.get(known[client % known.length] ?? '', client)).again,
  };
  const rates: Rate[] = [];
  for (const what of ['recorded', 'given out', 'repeated'] as const)
    for (const clients of [1, options.clients]) {
      note(`${what}, ${clients} at a time`);
      rates.push({
        what,
        clients,
        ...(await rateOf(stand, clients, options.seconds, kinds[what])),
      });
    }
  return rates;
}

async function rateOf(
  { custodian }: VaultStand,
  clients: number,
  seconds: number,
  work: (client: number) => Promise<number>,
): Promise<Pick<Rate, 'perSecond' | 'cpu' | 'again'>> {
  const subject = subjectOf([custodian.pid]);
  const [start, cpu] = [performance.now(), subject.cpuSeconds()];
  let [count, again] = [0, 0];
  await Promise.all(
    Array.from({ length: clients }, async (_, client) => {
      while (performance.now() < start + seconds * 1e3) {
        again += await work(client);
        count += 1;
      }
    }),
  );
  const spent = (performance.now() - start) / 1e3;
  return {
    perSecond: count / spent,
    cpu: ((subject.cpuSeconds() - cpu) * 1e6) / count,
    again: again / count,
  };
}

/** Of two new custodians: what a process took once it may keep. */
async function measureMemory(stand: VaultStand, options: VaultBench): Promise<readonly Memory[]> {
  const { readers: count, readSeconds } = options;
  note('fast readers');
  const fast = await memoryOf(stand, options, 'fast', async (accesses) => {
    for (const [client, access] of accesses.entries()) await stand.get(access, client);
    return count;
  });
  const beforeBytes = residentBytes(stand.custodian.pid, 'VmRSS');
  await Promise.all(Array.from({ length: count }, (_, client) => stand.ask(client, LARGE)));
  const asking: Memory = {
    readers: 'asking',
    served: count,
    beforeBytes,
    peakBytes: residentBytes(stand.custodian.pid, 'VmHWM'),
    another: '',
  };
  note('slow readers');
  const slow: SlowReader[] = [];
  try {
    const measured = await memoryOf(stand, options, 'slow', async (accesses) => {
      for (const [client, access] of accesses.entries())
        slow.push(readSlowly(stand.url(access), stand.tokenOf(client)));
      const statuses = await Promise.all(slow.map(({ status }) => status));
      await sleep(readSeconds * 1e3);
      return statuses.filter((status) => status === 200).length;
    });
    return [fast, measured, asking];
  } finally {
    for (const reader of slow) reader.close();
  }
}

async function memoryOf(
  stand: VaultStand,
  { readers: count, intervalsMs }: VaultBench,
  readers: Memory['readers'],
  read: (accesses: readonly string[]) => Promise<number>,
): Promise<Memory> {
  await stand.restart(intervalsMs[0] ?? 1_000);
  const { pid } = stand.custodian;
  const small = await stand.ask(count);
  await stand.get(small, count);
  const accesses: string[] = [];
  for (let client = 0; client < count; client += 1) accesses.push(await stand.ask(client, LARGE));
  // The last one is public once it is given out.
  await stand.get(accesses.at(-1) ?? '', count - 1);
  const beforeBytes = residentBytes(pid, 'VmRSS');
  const served = await read(accesses);
  return {
    readers,
    served,
    beforeBytes,
    peakBytes: residentBytes(pid, 'VmHWM'),
    another: await answerTo(stand, small, count),
  };
}

async function answerTo(stand: VaultStand, access: string, client: number): Promise<string> {
  const { status, code } = await stand.once('GET', `${access}/sample`, client);
  return code === undefined ? String(status) : `${status} ${code}`;
}

export function vaultTables(options: VaultBench, figures: VaultFigures): string {
  return [latencyTable(options, figures), rateTable(figures), memoryTable(options, figures)].join(
    '\n\n',
  );
}

function latencyTable({ bytes }: VaultBench, { latencies }: VaultFigures): string {
  return table(
    [
      'access',
      'sample',
      'a checkpoint every',
      'number',
      'median ms',
      'longest ms',
      'times a repeated one',
    ],
    latencies.flatMap(({ intervalMs, ms }) =>
      KINDS.map((kind) => [
        kind,
        formatBytes(bytes),
        `${intervalMs / 1e3} s`,
        String(ms[kind].length),
        figure(median(ms[kind])),
        figure(Math.max(...ms[kind])),
        kind === 'repeated' ? '1' : figure(median(ms[kind]) / median(ms.repeated)),
      ]),
    ),
  );
}

function rateTable({ rates }: VaultFigures): string {
  const one = (what: Rate['what']): number =>
    rates.find((rate) => rate.what === what && rate.clients === 1)?.perSecond ?? 0;
  return table(
    ['what', 'clients', 'a second', 'times one client', 'CPU µs each', '503 for each'],
    rates.map(({ what, clients, perSecond, cpu, again }) => [
      what,
      String(clients),
      figure(perSecond),
      clients === 1 ? '1' : figure(perSecond / one(what)),
      figure(cpu),
      again.toFixed(2),
    ]),
  );
}

function memoryTable({ largeBytes, readers: count }: VaultBench, { memory }: VaultFigures): string {
  const [fast] = memory;
  return table(
    [
      'readers',
      'sample',
      'got it',
      'resident before, MB',
      'peak MB',
      'times the fast',
      'another asker gets',
    ],
    memory.map(({ readers, served, beforeBytes, peakBytes, another }) => [
      `${count} ${readers}`,
      formatBytes(largeBytes),
      String(served),
      figure(beforeBytes / 1e6),
      figure(peakBytes / 1e6),
      (peakBytes / (fast?.peakBytes ?? peakBytes)).toFixed(2),
      another,
    ]),
  );
}

const USAGE =
  'npm run bench:vault -- [--accesses 12] [--clients 32] [--seconds 5] [--bytes 10KiB] [--large 16MiB] [--readers 20] [--read-seconds 20]\n';

/** Throws a message for the person who typed the options. */
function readOptions(args: readonly string[]): VaultBench {
  const { values } = parseArgs({
    args: [...args],
    options: {
      accesses: { type: 'string' },
      clients: { type: 'string' },
      seconds: { type: 'string' },
      bytes: { type: 'string', default: '10KiB' },
      large: { type: 'string', default: '16MiB' },
      readers: { type: 'string' },
      'read-seconds': { type: 'string' },
    },
  });
  return {
    accesses: readNumber('accesses', values.accesses, { least: 2, most: 64, usual: 12 }),
    intervalsMs: [1_000, 5_000],
    clients: readNumber('clients', values.clients, { least: 2, most: 256, usual: 32 }),
    seconds: readNumber('seconds', values.seconds, { least: 1, most: 600, usual: 5 }),
    bytes: readSize(values.bytes, '--bytes'),
    largeBytes: readSize(values.large, '--large'),
    readers: readNumber('readers', values.readers, { least: 1, most: 64, usual: 20 }),
    readSeconds: readNumber('read-seconds', values['read-seconds'], {
      least: 1,
      most: 240,
      usual: 20,
    }),
    longRunning: true,
  };
}

if (import.meta.main)
  await runBenchmark({
    usage: USAGE,
    readOptions,
    run: async (options) => vaultTables(options, await measureVault(options)),
  });
