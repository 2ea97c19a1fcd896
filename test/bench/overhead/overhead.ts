import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import type { Measurement } from '../meter.ts';
import { figure, median, note, spread, table } from '../report.ts';
import { formatBytes, parseBytes } from '../workload.ts';
import type { Workload } from '../workload.ts';

// `npm run bench:overhead -- --pairs 7 --samples 10000 --bytes 1KiB`: what metrics and logs cost at
// their defaults, against the same work without them, in the same run. Stores cost nothing here, so
// the share is an upper bound of that in a deployment.

const CHILD = fileURLToPath(new URL('overhead-process.ts', import.meta.url));

export interface OverheadPair {
  readonly on: Measurement;
  readonly off: Measurement;
}

/** Alternates, with each side first in turn, so that changes of the machine's speed affect both. */
export async function measureOverhead(
  workload: Workload,
  pairs: number,
  said: (line: string) => void,
): Promise<readonly OverheadPair[]> {
  const measured: OverheadPair[] = [];
  for (let pair = 1; pair <= pairs; pair += 1) {
    said(`pair ${pair} of ${pairs}`);
    const first = pair % 2 === 1 ? 'on' : 'off';
    const one = await run(workload, first);
    const other = await run(workload, first === 'on' ? 'off' : 'on');
    measured.push(first === 'on' ? { on: one, off: other } : { on: other, off: one });
  }
  return measured;
}

async function run(workload: Workload, telemetry: 'on' | 'off'): Promise<Measurement> {
  const { stdout } = await promisify(execFile)(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    CHILD,
    JSON.stringify(workload),
    telemetry,
  ]);
  return JSON.parse(stdout) as Measurement;
}

export function overheadTable(workload: Workload, pairs: readonly OverheadPair[]): string {
  const micros = (one: Measurement): number => (one.cpuSeconds * 1e6) / workload.count;
  const ratios = pairs.map(({ on, off }) => on.cpuSeconds / off.cpuSeconds);
  const times = pairs.map(({ on, off }) => on.seconds / off.seconds);
  const three = (value: number): string => value.toFixed(3);
  return table(
    [
      'sample',
      'samples',
      'pairs',
      'CPU µs a sample, with',
      'without',
      'CPU, times without: median (min–max)',
      'time, times without: median (min–max)',
    ],
    [
      [
        formatBytes(workload.bytes),
        String(workload.count),
        String(pairs.length),
        figure(median(pairs.map(({ on }) => micros(on)))),
        figure(median(pairs.map(({ off }) => micros(off)))),
        spread(ratios, three),
        spread(times, three),
      ],
    ],
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({
    options: {
      pairs: { type: 'string', default: '7' },
      samples: { type: 'string', default: '10000' },
      bytes: { type: 'string', default: '1KiB' },
    },
  });
  const bytes = parseBytes(values.bytes);
  if (bytes === undefined) throw new RangeError('Expected --bytes such as 1KiB.');
  const workload: Workload = {
    bytes,
    count: Math.ceil(Number(values.samples) / 500) * 500,
    region: 'zurich',
  };
  const pairs = await measureOverhead(workload, Number(values.pairs), note);
  console.log(overheadTable(workload, pairs));
}
