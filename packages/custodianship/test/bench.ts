/**
 * `npm run bench:register -- --holdings 1000000`: what a custodian that takes over reads and keeps.
 * `paid`: each stored sample has one custody event. `owed`: none has, and the site that owes them
 * is away. The floor makes the same records and drops them; the custodian's turn makes them too, so
 * the floor's CPU is subtracted. Each row is a process of its own.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import {
  SAMPLE_COPIED,
  auditEventIn,
  custodyDigest,
  custodyEntry,
  objectKey,
  storedSample,
} from '@residency/contracts';
import type { AuditFeed, CustodyLog } from '@residency/custodianship';
import { figure, table } from '../../../test/bench/report.ts';
import { CustodyWorld, NOW } from './custody-world.ts';

const ROWS = ['paid', 'owed'] as const;
type Row = (typeof ROWS)[number];

interface Figures {
  readonly floorSeconds: number;
  readonly cpuSeconds: number;
  readonly heapAndBuffersBytes: number;
  readonly owed: number;
}

const OWES = 'zrh-2';

async function register(row: Row, holdings: number): Promise<Figures> {
  const world = new CustodyWorld(['zrh-1', OWES]);
  world.away.add(OWES);
  const template = await world.stored('a', [OWES]);
  const custody: CustodyLog = { ...world.open(), values: () => copies() };
  const audit: AuditFeed = {
    partitions: async () => [0],
    read: async function* read(_, from) {
      for (let offset = from; offset < BigInt(holdings); offset += 1n)
        yield { offset, value: eventAt(offset) };
    },
  };

  function eventAt(offset: bigint): Buffer {
    return world.encode({ ...template, position: { ...template.position, offset } });
  }

  async function* copies(): AsyncGenerator<Buffer> {
    let previous: string | null = null;
    for (let sequence = 0; sequence < (row === 'owed' ? 0 : holdings); sequence += 1) {
      const stored = auditEventIn(eventAt(BigInt(sequence)));
      if (stored?.outcome !== 'stored') throw new TypeError('no stored event');
      const { position, submission, region, placements } = storedSample(stored);
      const [{ sealedSha256, sealedBytes }] = placements;
      const { record } = custodyEntry({
        log: custody.log,
        sequence,
        at: NOW,
        type: SAMPLE_COPIED,
        data: {
          of: position,
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
          previous,
        },
      });
      const value = record.value ?? Buffer.alloc(0);
      previous = custodyDigest(value);
      yield value;
    }
  }

  const floorFrom = process.cpuUsage();
  for await (const value of copies()) void value;
  for await (const record of audit.read(0, 0n)) void record;
  const floorSeconds = secondsSince(floorFrom);

  const before = memory();
  const from = process.cpuUsage();
  const custodian = await world.custodian({ custody, audit });
  await custodian.round(new AbortController().signal);
  const cpuSeconds = secondsSince(from);
  const heapAndBuffersBytes = memory() - before;
  const { owed = 0 } = custodian.report().debts.get(OWES) ?? {};
  return { floorSeconds, cpuSeconds, heapAndBuffersBytes, owed };
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

async function run(row: Row, holdings: number): Promise<Figures> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    '--expose-gc',
    fileURLToPath(import.meta.url),
    '--row',
    row,
    '--holdings',
    String(holdings),
  ]);
  return JSON.parse(stdout) as Figures;
}

const { values } = parseArgs({
  options: { holdings: { type: 'string', default: '1000000' }, row: { type: 'string' } },
});
const holdings = Number(values.holdings);
const row = ROWS.find((one) => one === values.row);
if (row !== undefined) process.stdout.write(JSON.stringify(await register(row, holdings)));
else {
  const rows: string[][] = [];
  for (const one of ROWS) {
    const { floorSeconds, cpuSeconds, heapAndBuffersBytes, owed } = await run(one, holdings);
    rows.push([
      one,
      holdings.toLocaleString('en'),
      owed.toLocaleString('en'),
      figure(((cpuSeconds - floorSeconds) * 1e6) / holdings),
      (cpuSeconds / floorSeconds).toFixed(2),
      figure(heapAndBuffersBytes / 1e6),
      figure((heapAndBuffersBytes * 8) / holdings),
    ]);
  }
  process.stdout.write(
    `${table(
      [
        'row',
        'holdings',
        'owed',
        'CPU µs a holding beyond the floor',
        'times the floor',
        'kept MB',
        'bits a holding',
      ],
      rows,
    )}\n`,
  );
}
