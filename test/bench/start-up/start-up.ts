import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { median, note, spread, table } from '../report.ts';

// `npm run bench:start-up -- --rounds 10`: the CPU of a whole command, user and system, its shell and
// its threads included, beside a Node that does nothing, in the same rounds. The first round warms the
// cache of compiled code and is not counted.

const BIN = fileURLToPath(new URL('../../../services/cli/bin/residency.js', import.meta.url));

export interface Started {
  readonly command: string;
  /** CPU seconds, one a round. */
  readonly seconds: readonly number[];
}

export async function measureStartUp(
  rounds: number,
  said: (line: string) => void,
): Promise<readonly Started[]> {
  const folder = await mkdtemp(join(tmpdir(), 'residency-start-up-'));
  try {
    const consent = ['--consent', 'consent-0001'];
    const data = ['--data', 'data'];
    await writeFile(join(folder, 'sample.bin'), 'sample');
    await cpuOf(folder, [BIN, 'consent', 'grant', ...consent, '--subject', 'user-17', ...data]);
    const commands = [
      [process.execPath, '-e', '0'],
      [BIN, '--help'],
      [BIN, 'where', 'CH'],
      [BIN, 'where', 'CH', ...data],
      [BIN, 'publish', 'sample.bin', '--country', 'CH', ...consent, ...data],
    ].map((words) => ({ words, seconds: [] as number[] }));
    for (let round = 0; round <= rounds; round += 1) {
      said(round === 0 ? 'warming' : `round ${round} of ${rounds}`);
      for (const { words, seconds } of commands) {
        const cpu = await cpuOf(folder, words);
        if (round > 0) seconds.push(cpu);
      }
    }
    return commands.map(({ words, seconds }) => ({
      command: words.join(' ').replace(BIN, 'residency').replace(process.execPath, 'node'),
      seconds,
    }));
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Bash adds up the times of all processes and threads below it, to the millisecond. */
async function cpuOf(cwd: string, words: readonly string[]): Promise<number> {
  const { stderr } = await promisify(execFile)(
    'bash',
    ['-c', 'TIMEFORMAT="cpu %U %S"; time "$@"', 'bash', ...words],
    {
      cwd,
      env: {
        ...process.env,
        XDG_CACHE_HOME: join(cwd, 'cache'),
        XDG_STATE_HOME: join(cwd, 'state'),
        LC_ALL: 'C',
      },
    },
  );
  const { user, system } = /^cpu (?<user>[\d.]+) (?<system>[\d.]+)$/m.exec(stderr)?.groups ?? {};
  if (user === undefined || system === undefined)
    throw new Error('Expected the times of a command from bash, found none; is bash installed?');
  return Number(user) + Number(system);
}

export function startUpTable(started: readonly Started[]): string {
  const bare = median(started[0]?.seconds ?? []);
  return table(
    ['command', 'rounds', 'CPU s: median (min–max)', 'times a bare Node'],
    started.map(({ command, seconds }) => [
      command,
      String(seconds.length),
      spread(seconds, (value) => value.toFixed(3)),
      (median(seconds) / bare).toFixed(1),
    ]),
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { rounds: { type: 'string', default: '10' } } });
  console.log(startUpTable(await measureStartUp(Number(values.rounds), note)));
}
