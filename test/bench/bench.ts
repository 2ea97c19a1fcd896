import { statfs } from 'node:fs/promises';
import { availableParallelism, cpus } from 'node:os';
import { USAGE, readOptions } from './options.ts';
import type { BenchOptions } from './options.ts';
import { memoryTable, pairsTable, stepsTable } from './report.ts';
import type { Pair } from './report.ts';
import { Workshop } from './workshop.ts';
import { formatBytes } from './workload.ts';
import type { Workload } from './workload.ts';

// What routing costs on this machine, against a floor measured in the same run: the same bytes
// hashed (SHA-256), encrypted (AES-256-GCM) and durably written to as many sites, nothing else.
// Progress goes to standard error.

const TMPFS = 0x01021994;

async function main(options: BenchOptions): Promise<void> {
  const workshop = await Workshop.open(options.under);
  try {
    print(await heading(options));
    const rows: { workload: Workload; pairs: Pair[] }[] = [];
    for (const workload of options.workloads)
      rows.push({ workload, pairs: await measurePairs(workshop, workload, options.pairs) });
    print(pairsTable(rows));
    const waiting = [];
    for (const workload of options.waiting) {
      say('memory', workload);
      waiting.push({
        workload,
        subject: await workshop.with(workload, ({ subject }) => subject()),
      });
    }
    print(memoryTable(waiting));
    say('steps', options.steps);
    const [all, one] = await workshop.with(
      options.steps,
      async ({ steps }) => [await steps('all'), await steps('one')] as const,
    );
    print(
      `Steps at ${formatBytes(options.steps.bytes)}, ${options.steps.region}, in runs of their own:`,
    );
    print(stepsTable(all, one));
  } finally {
    await workshop.close();
  }
}

/** Alternates, so that changes of the machine's speed affect both. */
async function measurePairs(
  workshop: Workshop,
  workload: Workload,
  count: number,
): Promise<Pair[]> {
  return await workshop.with(workload, async ({ subject, floor }) => {
    const pairs: Pair[] = [];
    for (let pair = 1; pair <= count; pair += 1) {
      say(`pair ${pair} of ${count}`, workload);
      pairs.push({ subject: await subject(), floor: await floor() });
    }
    return pairs;
  });
}

async function heading({ pairs, under }: BenchOptions): Promise<string> {
  const { type } = await statfs(under);
  const memory =
    type === TMPFS
      ? ' The folder is held in memory: fsync costs nothing there, so name one on a disk with --under.'
      : '';
  return `${new Date().toISOString().slice(0, 16)}Z, Node.js ${process.versions.node}, ${process.platform} ${process.arch}, ${availableParallelism()} cores (${cpus()[0]?.model.trim() ?? 'unknown'}), ${pairs} ${pairs === 1 ? 'pair' : 'pairs'}.${memory}`;
}

function print(text: string): void {
  process.stdout.write(`${text}\n\n`);
}

function say(what: string, { bytes, count, region }: Workload): void {
  process.stderr.write(`${what}: ${count} × ${formatBytes(bytes)}, ${region}\n`);
}

let options: BenchOptions | undefined;
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
