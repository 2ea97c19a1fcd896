import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import type { Measurement } from '../meter.ts';
import { figure, median, note, spread, table } from '../report.ts';
import { NullS3 } from '../stack/null-s3.ts';
import { formatBytes, parseBytes } from '../workload.ts';

// `npm run bench:put -- --rounds 5 --objects 15000 --bytes 10KiB`: what an object costs at S3, by
// this product, by the SDK alone and by plain HTTP, in the same rounds, against an endpoint that
// keeps nothing and runs in a process of its own. Its CPU is in no figure.

const CHILD = fileURLToPath(new URL('put-process.ts', import.meta.url));

const SUBJECTS = ['floor', 'product', 'sdk'] as const;
const OPERATIONS = ['head', 'create'] as const;
type Subject = (typeof SUBJECTS)[number];
type Operation = (typeof OPERATIONS)[number];

export interface PutOrder {
  readonly subject: Subject;
  /** `create`: a HEAD, and a create-only PUT. */
  readonly operation: Operation;
  readonly endpoint: string;
  readonly bytes: number;
  readonly count: number;
}

type Round = Readonly<Record<Subject, Readonly<Record<Operation, Measurement>>>>;

export async function measureRounds(
  rounds: number,
  { bytes, count }: { readonly bytes: number; readonly count: number },
  said: (line: string) => void,
): Promise<readonly Round[]> {
  const endpoint = await NullS3.open();
  try {
    const measured: Round[] = [];
    for (let round = 1; round <= rounds; round += 1) {
      said(`round ${round} of ${rounds}`);
      const one = Object.fromEntries(
        SUBJECTS.map((subject) => [subject, {} as Record<Operation, Measurement>]),
      ) as Record<Subject, Record<Operation, Measurement>>;
      for (const operation of OPERATIONS)
        for (const subject of SUBJECTS) {
          const { 'zrh-1': site } = endpoint.sites;
          const order: PutOrder = { subject, operation, endpoint: site.endpoint, bytes, count };
          const { stdout } = await promisify(execFile)(process.execPath, [
            '--disable-warning=ExperimentalWarning',
            CHILD,
            JSON.stringify(order),
          ]);
          one[subject][operation] = JSON.parse(stdout) as Measurement;
        }
      measured.push(one);
    }
    return measured;
  } finally {
    await endpoint.close();
  }
}

export function putTable(bytes: number, count: number, rounds: readonly Round[]): string {
  const micros = (one: Measurement): number => (one.cpuSeconds * 1e6) / count;
  return table(
    [
      'object',
      'by',
      'CPU µs a HEAD: median (min–max)',
      'CPU µs a PUT',
      'both',
      'both, times the floor',
      'objects/s',
    ],
    SUBJECTS.map((subject) => [
      formatBytes(bytes),
      subject,
      spread(
        rounds.map((round) => micros(round[subject].head)),
        figure,
      ),
      spread(
        rounds.map((round) => micros(round[subject].create) - micros(round[subject].head)),
        figure,
      ),
      spread(
        rounds.map((round) => micros(round[subject].create)),
        figure,
      ),
      median(
        rounds.map((round) => micros(round[subject].create) / micros(round.floor.create)),
      ).toFixed(2),
      figure(median(rounds.map((round) => count / round[subject].create.seconds))),
    ]),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      rounds: { type: 'string', default: '5' },
      objects: { type: 'string', default: '15000' },
      bytes: { type: 'string', default: '10KiB' },
    },
  });
  const [bytes, count] = [parseBytes(values.bytes), Number(values.objects)];
  if (bytes === undefined || !Number.isSafeInteger(count) || count < 1)
    throw new RangeError('Expected --bytes such as 10KiB and --objects such as 15000.');
  const rounds = await measureRounds(Number(values.rounds), { bytes, count }, note);
  console.log(putTable(bytes, count, rounds));
}
