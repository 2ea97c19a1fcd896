import { PassThrough } from 'node:stream';
import type { Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { runCommand } from '../src/run-command.ts';
import { Output } from '../src/terminal/output.ts';

/** How a command ended, and what it wrote. */
export interface Finished {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

export interface Around {
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** The working directory of the command; absent: the test's own. */
  readonly cwd?: string;
  /** Its standard output, which the test then reads itself, if at all. */
  readonly stdout?: Writable;
}

/**
 * The command line in the test's own process: it need not start first. What is about
 * processes (signals, exit of the real launcher, locks between processes, broken outputs) needs a
 * real one.
 */
export async function inProcess(
  args: readonly string[],
  { env = {}, cwd = process.cwd(), stdout }: Around = {},
): Promise<Finished> {
  const [out, err] = [new PassThrough(), new PassThrough()];
  const said = Promise.all([text(out), text(err)]);
  const code = await within(cwd, () =>
    runCommand(
      {
        output: new Output(stdout ?? out, err),
        env,
        signal: new AbortController().signal,
        now: Date.now,
        abandonIn: () => undefined,
      },
      args,
    ),
  );
  out.end();
  err.end();
  const [outText, errText] = await said;
  return { code, out: outText, err: errText };
}

let running: { readonly cwd: string; readonly before: string; commands: number } | undefined;

/** A process has one working directory: commands of one folder may run side by side. */
async function within<T>(cwd: string, work: () => Promise<T>): Promise<T> {
  if (running === undefined) {
    running = { cwd, before: process.cwd(), commands: 0 };
    process.chdir(cwd);
  }
  const mine = running;
  if (mine.cwd !== cwd)
    throw new Error(
      `Expected no command to run in another folder at the same time, found one in ${mine.cwd}; await it, or spawn one.`,
    );
  mine.commands += 1;
  try {
    return await work();
  } finally {
    mine.commands -= 1;
    if (mine.commands === 0) {
      process.chdir(mine.before);
      running = undefined;
    }
  }
}
