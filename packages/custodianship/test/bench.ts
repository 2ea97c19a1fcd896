/**
 * `npm run bench:register -- --holdings 1000000`: what a custodian that takes over reads and keeps.
 * `paid`: each stored sample has one custody event. `owed`: none has, and the site that owes them
 * is away. First without a register, then with the one that it saved; nothing is new then. The floor
 * makes the same records and drops them; the custodian's turn makes them too, so the floor's CPU is
 * subtracted. Each row is a process of its own. No Kafka.
 *
 * `--made`: nothing is read. The register is made of random prints and debts, so that many holdings
 * take seconds; one record is new.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { RegisterFile } from '@residency/adapter-filesystem';
import {
  SAMPLE_COPIED,
  custodyDigest,
  custodyEntry,
  objectKey,
  storedSample,
} from '@residency/contracts';
import type { AuditFeed, Custodian, CustodyLog, TakeOver } from '@residency/custodianship';
import { encodeRegister } from '../src/register-format.ts';
import type { Register } from '../src/register-format.ts';
import { figure, table } from '../../../test/bench/report.ts';
import { CustodyWorld, NOW } from './custody-world.ts';

const ROWS = ['paid', 'owed'] as const;
type Row = (typeof ROWS)[number];

interface Measured {
  readonly seconds: number;
  readonly cpuSeconds: number;
  /** The longest time that no other work of the process was done. */
  readonly stallSeconds: number;
}

interface Start extends Measured, TakeOver {
  readonly keptBytes: number;
  readonly owed: number;
}

interface Figures {
  readonly floorSeconds: number;
  /** Absent: the register was made. */
  readonly whole?: Start;
  readonly save: Measured;
  readonly fileBytes: number;
  readonly resumed: Start;
}

const OWES = 'zrh-2';
/** A log answers with so many records at once. */
const PAGE = 500;

async function register(row: Row, count: number, made: boolean): Promise<Figures> {
  let holdings = count;
  const world = new CustodyWorld(['zrh-1', OWES]);
  world.away.add(OWES);
  const template = await world.stored('a', [OWES]);
  if (template.outcome !== 'stored') throw new TypeError('no stored event');
  const events = row === 'owed' ? 0 : holdings;
  const { position, submission, region, placements } = storedSample(template);
  const [{ sealedSha256, sealedBytes }] = placements;
  const auditAt = numbered((offset) =>
    world.encode({ ...template, position: { ...template.position, offset } }),
  );
  const custodyAt = numbered(
    (number) =>
      custodyEntry({
        log: 'log-1',
        sequence: Number(number),
        at: NOW,
        type: SAMPLE_COPIED,
        data: {
          of: position.replace(/\d+$/, String(number)),
          submission,
          region,
          from: 'zrh-1',
          copy: {
            site: OWES,
            key: objectKey(submission),
            sealedSha256,
            sealedBytes,
            wrappingKey: 'zurich-test-key',
          },
          previous: PREVIOUS,
        },
      }).record.value ?? Buffer.alloc(0),
  );
  let last = Buffer.alloc(0);
  const custody: CustodyLog = {
    ...world.open(),
    read: async function* read(from = 0n) {
      // The chain needs every event; a custodian that resumes asks for the last one alone.
      if (from > 0n) yield { offset: from, value: last };
      else
        for (let number = 0; number < events; number += 1) {
          const previous = number === 0 ? 'null' : `"${custodyDigest(last)}"`;
          last = Buffer.from(custodyAt(number).replace(`"${PREVIOUS}"`, previous));
          if (number % PAGE === 0) await turn();
          yield { offset: BigInt(number), value: last };
        }
    },
  };
  const audit: AuditFeed = {
    partitions: async () => [0],
    read: async function* read(_, from) {
      for (let offset = Number(from); offset < holdings; offset += 1) {
        if (offset % PAGE === 0) await turn();
        yield { offset: BigInt(offset), value: Buffer.from(auditAt(offset)) };
      }
    },
  };

  if (made) return await ofMade();
  const floorFrom = process.cpuUsage();
  for await (const record of custody.read()) void record;
  for await (const record of audit.read(0, 0n)) void record;
  const floorSeconds = secondsSince(floorFrom);

  return await inFolder(async (store) => {
    const first = await start(world, { custody, audit, store });
    const save = await measured(() => first.custodian.keep());
    const fileBytes = first.saved();
    const { start: whole } = first;
    first.drop();
    const resumed = await start(world, { custody, audit, store });
    return { floorSeconds, whole, save, fileBytes, resumed: resumed.start };
  });

  async function ofMade(): Promise<Figures> {
    last = Buffer.from(custodyAt(holdings - 1));
    const before = Buffer.from(auditAt(holdings - 1));
    holdings += 1;
    return await inFolder(async (store) => {
      await store.replace(
        encodeRegister(madeRegister(row, holdings - 1, { custody: last, audit: before })),
      );
      const resumed = await start(world, { custody, audit, store });
      const save = await measured(() => resumed.custodian.keep());
      return { floorSeconds: 0, save, fileBytes: resumed.saved(), resumed: resumed.start };
    });
  }
}

async function inFolder<T>(work: (store: RegisterFile) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'residency-register-'));
  try {
    return await work(new RegisterFile(folder, 'zurich'));
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** As a custodian saves it after so many holdings. */
function madeRegister(
  row: Row,
  holdings: number,
  { custody, audit }: { readonly custody: Buffer; readonly audit: Buffer },
): Register {
  const random = (words: number): Uint32Array => {
    const made = new Uint32Array(words);
    for (let from = 0; from < words; from += 16_384)
      crypto.getRandomValues(made.subarray(from, from + 16_384));
    return made;
  };
  const [pages, offset] = [Math.ceil(holdings / 1_024), BigInt(holdings - 1)];
  const words = new Uint32Array(Math.ceil(holdings / 32)).fill(0xff_ff_ff_ff);
  const of = `${OWES} log-1/threat.samples/0`;
  const isPaid = row === 'paid';
  return {
    log: 'log-1',
    region: 'zurich',
    topics: {},
    sites: ['zrh-1', OWES],
    head: {
      ...(isPaid
        ? { end: { offset, sequence: holdings - 1, digest: custodyDigest(custody) } }
        : {}),
      prints: {
        pages: isPaid ? [{ of, first: 0n, words: [random(pages * 1_024)] }] : [],
        later: [],
      },
      closed: [],
      repaired: [],
      notRepaired: [],
      erased: [],
      lost: [],
      lossRefused: [],
      accesses: [],
    },
    debts: isPaid
      ? { due: [], oldestAt: [] }
      : { due: [{ site: OWES, partition: '0', words }], oldestAt: [[OWES, NOW]] },
    stored: [{ of: '0', first: 0n, words: [random(pages * 2_048)] }],
    owners: { settled: [['log-1/threat.samples/0', offset]], named: [] },
    audit: [{ partition: 0, offset, digest: custodyDigest(audit) }],
  };
}

async function start(
  world: CustodyWorld,
  {
    custody,
    audit,
    store,
  }: Pick<Parameters<typeof Custodian.begin>[0], 'custody' | 'audit'> & {
    readonly store: RegisterFile;
  },
) {
  let read: TakeOver = { auditRecords: 0, custodyRecords: 0 };
  let custodian: Custodian | undefined;
  let bytes = 0;
  const before = memory();
  const figures = await measured(async () => {
    custodian = await world.custodian({
      custody,
      audit,
      tookOver: (what) => {
        read = what;
      },
      register: {
        store,
        topics: {},
        // Saving is measured by itself.
        afterRecords: Infinity,
        passedOver: (code) => {
          throw new Error(`Expected the register to be used, found ${code}.`);
        },
        opened: () => undefined,
        saved: (saved) => {
          bytes = saved;
        },
        failed: (error) => {
          throw error;
        },
      },
    });
    await custodian.round(new AbortController().signal);
  });
  const keptBytes = memory() - before;
  const { owed = 0 } = custodian?.report().debts.get(OWES) ?? {};
  return {
    start: { ...figures, ...read, keptBytes, owed },
    get custodian(): Custodian {
      if (custodian === undefined) throw new Error('Expected a custodian.');
      return custodian;
    },
    saved: () => bytes,
    drop: () => {
      custodian = undefined;
    },
  };
}

async function measured(work: () => Promise<void>): Promise<Measured> {
  const stalls = monitorEventLoopDelay({ resolution: 1 });
  stalls.enable();
  const [cpu, from] = [process.cpuUsage(), performance.now()];
  await work();
  const [cpuSeconds, seconds] = [secondsSince(cpu), (performance.now() - from) / 1e3];
  // The last stall counts once the loop has turned.
  await new Promise((resolve) => {
    setTimeout(resolve, 20);
  });
  stalls.disable();
  return { seconds, cpuSeconds, stallSeconds: stalls.max / 1e9 };
}

const PREVIOUS = 'f'.repeat(64);
/** Not to be found in a digest. */
const NUMBER = 1_234_567_890_123;

/** What `make` makes of a number, without its checks: they would be most of a benchmark's time. */
function numbered(make: (number: bigint) => Buffer): (number: number) => string {
  const parts = make(BigInt(NUMBER))
    .toString()
    .split(new RegExp(`(0*${NUMBER})`));
  return (number) => {
    let text = '';
    for (const [index, part] of parts.entries())
      text +=
        index % 2 === 0
          ? part
          : part.startsWith('0')
            ? String(number).padStart(part.length, '0')
            : String(number);
    return text;
  };
}

function secondsSince(from: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1e6;
}

/** After a collection. */
function memory(): number {
  if (globalThis.gc === undefined) throw new Error('Expected --expose-gc.');
  globalThis.gc();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

async function run(row: Row, holdings: number, made: boolean): Promise<Figures> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    '--expose-gc',
    fileURLToPath(import.meta.url),
    '--row',
    row,
    '--holdings',
    String(holdings),
    ...(made ? ['--made'] : []),
  ]);
  return JSON.parse(stdout) as Figures;
}

const whole = (value: number): string => value.toLocaleString('en');

function rowsOf(row: Row, { floorSeconds, whole: first, resumed, fileBytes }: Figures): string[][] {
  const starts = first === undefined ? [undefined, resumed] : [first, resumed];
  return starts.flatMap((one, index) => {
    if (one === undefined) return [];
    const floor = index === 0 ? floorSeconds : 0;
    return [
      [
        `${row}, ${index === 0 ? 'no register' : 'from the register'}`,
        whole(one.custodyRecords + one.auditRecords),
        figure(one.seconds),
        figure(one.cpuSeconds - floor),
        figure(one.stallSeconds * 1e3),
        figure(one.keptBytes / 1e6),
        index === 0 ? '' : figure(fileBytes / 1e6),
        whole(one.owed),
      ],
    ];
  });
}

const { values } = parseArgs({
  options: {
    holdings: { type: 'string', default: '1000000' },
    row: { type: 'string' },
    made: { type: 'boolean', default: false },
  },
});
const holdings = Number(values.holdings);
const row = ROWS.find((one) => one === values.row);
if (row !== undefined)
  process.stdout.write(JSON.stringify(await register(row, holdings, values.made)));
else {
  const [starts, saves]: [string[][], string[][]] = [[], []];
  for (const one of ROWS) {
    const figures = await run(one, holdings, values.made);
    starts.push(...rowsOf(one, figures));
    const { seconds, cpuSeconds, stallSeconds } = figures.save;
    saves.push([
      one,
      figure(seconds),
      figure(cpuSeconds),
      figure(stallSeconds * 1e3),
      figure(figures.fileBytes / 1e6),
    ]);
  }
  process.stdout.write(
    `${whole(holdings)} holdings\n\n${table(
      [
        'start',
        'records read',
        'seconds',
        'CPU s beyond the floor',
        'longest stall ms',
        'kept MB',
        'file MB',
        'owed',
      ],
      starts,
    )}\n\n${table(['saving', 'seconds', 'CPU s', 'longest stall ms', 'file MB'], saves)}\n`,
  );
}
