import { spawnSync } from 'node:child_process';
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { writeLedger } from './write-ledger.ts';

// node test/interop/ledger/ledger-interop.ts [--entries N]: exits with 0 if other people's code
// accepts our ledger and refuses a damaged one, 1 if not, 3 if Go is missing.

const FAILED = 1;
const MISSING = 3;
const MAX_JUDGE_MS = 600_000;
const { values } = parseArgs({ options: { entries: { type: 'string', default: '100000' } } });
const entries = Number(values.entries);

/** Each damage, and the programs that must detect it. */
const DAMAGES: readonly (readonly [
  folder: string,
  pick: (name: string) => boolean,
  noticed: string,
])[] = [
  ['ledger/tile/0', (name) => name === '000', 'tessera fsck'],
  ['ledger/tile/entries', (name) => name === '000', 'tessera fsck'],
  ['checkpoints', (name) => name === String(entries), 'sumdb/note'],
  ['consistency', (name) => name === '2-255', 'sumdb/tlog'],
  ['receipts', (name) => name === '255-in-256.entry', 'sumdb/tlog'],
];

function go(...arguments_: readonly string[]): {
  readonly status: number;
  readonly output: string;
  readonly found: boolean;
} {
  const { status, stdout, stderr, error } = spawnSync('go', arguments_, {
    cwd: import.meta.dirname,
    encoding: 'utf8',
  });
  return {
    status: status ?? FAILED,
    output: `${stdout ?? ''}${stderr ?? ''}`,
    found: error === undefined,
  };
}

function judge(
  program: string,
  folder: string,
): { readonly status: number; readonly stdout: string; readonly stderr: string } {
  const { status, stdout, stderr } = spawnSync(program, [folder], {
    encoding: 'utf8',
    timeout: MAX_JUDGE_MS,
  });
  return { status: status ?? FAILED, stdout, stderr };
}

async function flip(path: string): Promise<() => Promise<void>> {
  const bytes = await readFile(path);
  const damaged = Buffer.from(bytes);
  // Changing the first byte of base64 or text would break the format; a bit in the middle changes
  // only the content.
  const at = Math.floor(damaged.length / 2);
  damaged.writeUInt8(damaged.readUInt8(at) ^ 1, at);
  await writeFile(path, damaged);
  return () => writeFile(path, bytes);
}

async function refusesDamage(folder: string, program: string): Promise<boolean> {
  for (const [place, pick, noticed] of DAMAGES) {
    const name = (await readdir(join(folder, place))).find(pick);
    if (name === undefined)
      throw new RangeError(`Expected a file to damage in ${place}, found none.`);
    const restore = await flip(join(folder, place, name));
    const { status, stderr } = judge(program, folder);
    await restore();
    if (status === 0 || !stderr.startsWith(noticed)) {
      console.error(
        `Expected ${noticed} to refuse a flipped bit in ${place}/${name}, found exit ${status}: ${stderr}`,
      );
      return false;
    }
  }
  console.log(`and refuse a flipped bit in each of ${DAMAGES.map(([place]) => place).join(', ')}`);
  return true;
}

async function run(folder: string): Promise<boolean> {
  const program = join(folder, 'ledger-interop');
  const built = go('build', '-o', program, '.');
  if (built.status !== 0) {
    console.error(
      `Expected the Go program to build, found:\n${built.output}Its modules come through the module proxy the first time.`,
    );
    return false;
  }
  const started = performance.now();
  await writeLedger(folder, entries);
  console.log(
    `wrote a ledger of ${entries} entries in ${((performance.now() - started) / 1_000).toFixed(1)} s`,
  );
  const { status, stdout, stderr } = judge(program, folder);
  process.stdout.write(stdout);
  process.stderr.write(stderr);
  return status === 0 && (await refusesDamage(folder, program));
}

async function main(): Promise<number> {
  if (!Number.isSafeInteger(entries) || entries < 300) {
    console.error('Expected --entries to be a whole number of at least 300, found another value.');
    return 2;
  }
  const version = go('version');
  if (!version.found) {
    console.error(
      'Expected Go (1.26 or newer) on the path, found none. Install it from https://go.dev/dl; nothing was checked.',
    );
    return MISSING;
  }
  console.log(version.output.trim());
  const folder = await mkdtemp(join(tmpdir(), 'ledger-interop-'));
  try {
    return (await run(folder)) ? 0 : FAILED;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

process.exitCode = await main();
