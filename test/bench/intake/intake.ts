import { parseArgs } from 'node:util';
import { Deployment } from '../../running-deployment/deployment.ts';
import { openStack } from '../../stack/index.ts';
import { figure, median, note, spread, table } from '../report.ts';
import { runBenchmark } from '../run-benchmark.ts';
import { NullS3 } from '../stack/null-s3.ts';
import { Child } from '../stack/child.ts';
import { readNumber, readSize } from '../stack/options.ts';
import { subjectOf } from '../stack/process-figures.ts';
import { PARTITIONS } from '../stack/stand.ts';
import { formatBytes } from '../workload.ts';
import type { ClientOrder, ClientReport } from './orders.ts';

// `npm run bench:intake -- --rounds 3 --rate 500 --seconds 20 --bytes 10KiB`: what a submission
// costs at the intake and how long its publisher waits, beside a bare HTTP server with the same
// appender, in the same rounds. One Kafka broker; its CPU and the client's are in no figure.

const SUBJECTS = ['intake', 'floor'] as const;
type Subject = (typeof SUBJECTS)[number];

interface Measured extends ClientReport {
  /** CPU microseconds a submission. */
  readonly cpu: number;
}

export type Round = Readonly<Record<Subject, Measured>>;

export interface IntakeBench {
  readonly rounds: number;
  readonly perSecond: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly bytes: number;
}

export async function measureIntake(options: IntakeBench): Promise<readonly Round[]> {
  const { rounds, perSecond, seconds, warmUpSeconds } = options;
  const s3 = await NullS3.open();
  const stack = await openStack({ brokers: 1, redis: true });
  const deployment = await Deployment.open(
    { kafka: stack.kafka, redis: stack.redis, sites: s3.sites },
    { partitions: PARTITIONS },
  );
  const floor = new Child('../intake/floor-process.ts', {}, deployment.env);
  try {
    const intake = await deployment.start('intake');
    const { port } = await floor.said<{ port: number }>();
    const places = {
      intake: { pid: intake.pid, url: `${intake.url}/events` },
      floor: { pid: floor.pid, url: `http://127.0.0.1:${port}/` },
    };
    const measured: Round[] = [];
    let first = 0;
    for (let round = 1; round <= rounds; round += 1) {
      note(`round ${round} of ${rounds}`);
      const one: Partial<Record<Subject, Measured>> = {};
      for (const subject of SUBJECTS) {
        const { pid, url } = places[subject];
        const before = subjectOf([pid]).cpuSeconds();
        const order: ClientOrder = { ...options, url, first };
        const report = await Child.run<ClientReport>('../intake/client-process.ts', order);
        const count = perSecond * (seconds + warmUpSeconds);
        const cpu = ((subjectOf([pid]).cpuSeconds() - before) * 1e6) / count;
        one[subject] = { ...report, cpu };
        first += count;
      }
      measured.push(one as Round);
    }
    return measured;
  } finally {
    await floor.close();
    await deployment.close();
    await stack.close();
    await s3.close();
  }
}

export function intakeTable({ perSecond, bytes }: IntakeBench, rounds: readonly Round[]): string {
  const of = (subject: Subject, value: (one: Measured) => number): string =>
    spread(
      rounds.map((round) => value(round[subject])),
      figure,
    );
  const ratios = rounds.map(({ intake, floor }) => intake.cpu / floor.cpu);
  return table(
    [
      'subject',
      'sample',
      'submissions/s',
      'refused',
      'CPU µs a submission',
      'times the floor',
      'answered: p50 ms',
      'p99 ms',
      'longest ms',
    ],
    SUBJECTS.map((subject) => [
      subject,
      formatBytes(bytes),
      String(perSecond),
      String(median(rounds.map((round) => round[subject].refused))),
      of(subject, ({ cpu }) => cpu),
      subject === 'floor' ? '1' : spread(ratios, (ratio) => ratio.toFixed(2)),
      of(subject, ({ p50 }) => p50),
      of(subject, ({ p99 }) => p99),
      of(subject, ({ longest }) => longest),
    ]),
  );
}

const USAGE =
  'npm run bench:intake -- [--rounds 3] [--rate 500] [--seconds 20] [--bytes 10KiB]\n  --rate  submissions a second\n';

/** Throws a message for the person who typed the options. */
function readOptions(args: readonly string[]): IntakeBench {
  const { values } = parseArgs({
    args: [...args],
    options: {
      rounds: { type: 'string' },
      rate: { type: 'string' },
      seconds: { type: 'string' },
      bytes: { type: 'string', default: '10KiB' },
    },
  });
  return {
    rounds: readNumber('rounds', values.rounds, { least: 1, most: 99, usual: 3 }),
    perSecond: readNumber('rate', values.rate, { least: 1, most: 10_000, usual: 500 }),
    seconds: readNumber('seconds', values.seconds, { least: 1, most: 3_600, usual: 20 }),
    warmUpSeconds: 3,
    bytes: readSize(values.bytes, '--bytes'),
  };
}

if (import.meta.main)
  await runBenchmark({
    usage: USAGE,
    readOptions,
    run: async (options) => intakeTable(options, await measureIntake(options)),
  });
