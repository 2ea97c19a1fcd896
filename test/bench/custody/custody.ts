import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Publisher } from '../../faults/cluster/publisher.ts';
import { Deployment } from '../../running-deployment/deployment.ts';
import type { ServiceProcess } from '../../running-deployment/service-process.ts';
import { openStack } from '../../stack/index.ts';
import type { OwnStack } from '../../stack/index.ts';
import { figure, note, spread, table } from '../report.ts';
import { runBenchmark } from '../run-benchmark.ts';
import { Child } from '../stack/child.ts';
import { readNumber, readSize } from '../stack/options.ts';
import { residentBytes, subjectOf } from '../stack/process-figures.ts';
import { formatBytes, sampleOf } from '../workload.ts';
import type { FloorOrder } from './floor-process.ts';

// `npm run bench:custody -- --rounds 3 --copies 3000 --bytes 10KiB`: what a copy costs that a site
// owes, beside a process that only reads, hashes and creates the same objects with the SDK. In each
// round zrh-2 is killed, samples are stored without it, and it comes back to one custodian, the same
// in all rounds. One Kafka broker; its CPU and the sites' are in no figure.

export interface CustodyBench {
  readonly rounds: number;
  readonly copies: number;
  readonly bytes: number;
  /** Of the stack's servers. */
  readonly longRunning: boolean;
}

export interface Measured {
  readonly copies: number;
  readonly seconds: number;
  readonly cpuSeconds: number;
}

export interface Round {
  readonly custodian: Measured;
  readonly floor: Measured;
  /** Of the custodian, at the end of the round. */
  readonly residentBytes: number;
}

const OWES = 'zrh-2';
const PUBLISHED_AT_ONCE = 100;
const POLL_MS = 50;
const WITHIN_MS = 600_000;

export async function measureCustody(options: CustodyBench): Promise<readonly Round[]> {
  const stack = await openStack({
    brokers: 1,
    redis: true,
    sites: true,
    longRunning: options.longRunning,
  });
  const deployment = await Deployment.open(stack, { partitions: 2 });
  try {
    const publisher = new Publisher(deployment);
    const consent = await publisher.grant();
    const [custodian] = await Promise.all([
      deployment.start('custodian', { RESIDENCY_CUSTODIAN_REGION: 'zurich' }),
      deployment.start('consent-projector'),
      deployment.start('router'),
    ]);
    const rounds: Round[] = [];
    for (let round = 1; round <= options.rounds; round += 1) {
      note(`round ${round} of ${options.rounds}`);
      await stack.servers.sites[OWES].kill();
      await publish(publisher, consent, { ...options, first: (round - 1) * options.copies });
      const measured = await pay(custodian, stack, options.copies);
      rounds.push({
        custodian: measured,
        floor: await Child.run<Measured>('../custody/floor-process.ts', {
          from: { site: stack.sites['zrh-1'], bucket: deployment.buckets['zrh-1'] },
          to: { site: stack.sites[OWES], bucket: deployment.buckets[OWES] },
          prefix: 'samples/',
          under: `floor-${round}`,
          count: measured.copies,
        } satisfies FloorOrder),
        residentBytes: residentBytes(custodian.pid, 'VmRSS'),
      });
    }
    return rounds;
  } finally {
    await deployment.close();
    await stack.close();
  }
}

async function publish(
  publisher: Publisher,
  consent: string,
  { copies, bytes, first }: Pick<CustodyBench, 'copies' | 'bytes'> & { readonly first: number },
): Promise<void> {
  const workload = { bytes, count: copies, region: 'zurich' } as const;
  for (let sent = 0; sent < copies; sent += PUBLISHED_AT_ONCE) {
    const count = Math.min(PUBLISHED_AT_ONCE, copies - sent);
    await publisher.publish(
      Array.from({ length: count }, (_, index) => ({
        country: 'CH',
        consent,
        becomes: 'stored zurich',
        bytes: sampleOf(workload, first + sent + index),
        key: randomUUID(),
      })),
    );
  }
  await publisher.settled();
}

/** From the first copies seen to the last one: the site's return and the pause before it are not in. */
async function pay(custodian: ServiceProcess, stack: OwnStack, copies: number): Promise<Measured> {
  await until(async () => (await numberOf(custodian, 'residency_copies_owed')) === copies);
  const before = await numberOf(custodian, 'residency_copies_total');
  await stack.servers.sites[OWES].start();
  await until(async () => (await numberOf(custodian, 'residency_copies_total')) > before);
  const first = await reading(custodian);
  await until(async () => (await numberOf(custodian, 'residency_copies_owed')) === 0);
  const last = await reading(custodian);
  return {
    copies: last.copies - first.copies,
    seconds: (last.at - first.at) / 1e3,
    cpuSeconds: last.cpuSeconds - first.cpuSeconds,
  };
}

async function reading(custodian: ServiceProcess) {
  const copies = await numberOf(custodian, 'residency_copies_total');
  return { copies, at: performance.now(), cpuSeconds: subjectOf([custodian.pid]).cpuSeconds() };
}

/** The sum over the metric's other labels. */
async function numberOf(service: ServiceProcess, metric: string): Promise<number> {
  const text = await (await fetch(`${service.url}/metrics`)).text();
  const series = new RegExp(String.raw`^${metric}\{site="${OWES}"[,}].* (\d+)$`, 'gm');
  return [...text.matchAll(series)].reduce((sum, [, value]) => sum + Number(value), 0);
}

async function until(done: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + WITHIN_MS;
  while (!(await done())) {
    if (performance.now() > deadline)
      throw new Error(`Expected the copies to be made within ${WITHIN_MS} ms, found some owed.`);
    await sleep(POLL_MS);
  }
}

export function custodyTable(
  { bytes }: Pick<CustodyBench, 'bytes'>,
  rounds: readonly Round[],
): string {
  const rate = ({ copies, seconds }: Measured): number => copies / seconds;
  const cpu = ({ copies, cpuSeconds }: Measured): number => (cpuSeconds * 1e6) / copies;
  const rows = (['custodian', 'floor'] as const).map((subject) => [
    subject,
    formatBytes(bytes),
    String(rounds.reduce((sum, round) => sum + round[subject].copies, 0)),
    spread(
      rounds.map((round) => rate(round[subject])),
      figure,
    ),
    spread(
      rounds.map((round) => cpu(round[subject])),
      figure,
    ),
    subject === 'floor'
      ? '1'
      : spread(
          rounds.map(({ custodian, floor }) => cpu(custodian) / cpu(floor)),
          (ratio) => ratio.toFixed(2),
        ),
    subject === 'floor' ? '' : rounds.map((round) => figure(round.residentBytes / 1e6)).join(', '),
  ]);
  return table(
    ['subject', 'sample', 'copies', 'copies/s', 'CPU µs a copy', 'times the floor', 'resident MB'],
    rows,
  );
}

const USAGE = 'npm run bench:custody -- [--rounds 3] [--copies 3000] [--bytes 10KiB]\n';

/** Throws a message for the person who typed the options. */
function readOptions(args: readonly string[]): CustodyBench {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string' },
      copies: { type: 'string' },
      bytes: { type: 'string', default: '10KiB' },
    },
  });
  return {
    rounds: readNumber('rounds', values.rounds, { least: 1, most: 99, usual: 3 }),
    copies: readNumber('copies', values.copies, { least: 100, most: 1_000_000, usual: 3_000 }),
    bytes: readSize(values.bytes, '--bytes'),
    longRunning: true,
  };
}

if (import.meta.main)
  await runBenchmark({
    usage: USAGE,
    readOptions,
    run: async (options) => custodyTable(options, await measureCustody(options)),
  });
