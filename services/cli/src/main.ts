import { codeOf } from '@residency/coded-error';
import { CommanderError } from 'commander';
import { EXIT, exitCodeOf } from './exit-code.ts';
import type { ExitCode } from './exit-code.ts';
import { Output } from './output.ts';
import { createProgram } from './program.ts';
import type { Session } from './session.ts';

const { stdout, stderr, argv, env } = process;
const stop = new AbortController();
const output = new Output(stdout, stderr);
const session: Session = { output, env, signal: stop.signal, now: Date.now };
let readerGone = false;

// `| head` took what it wanted: ends as quietly as it can.
stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
  readerGone = true;
  stop.abort();
});
stderr.on('error', () => undefined);
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    // Said twice, it is meant now; what was promised is durable all the same.
    if (stop.signal.aborted) process.exit(EXIT.interrupted);
    stop.abort();
  });
}

process.exitCode = await run();

async function run(): Promise<ExitCode> {
  let code: ExitCode = EXIT.done;
  try {
    await createProgram(session, (answer) => {
      code = answer;
    }).parseAsync(argv);
  } catch (error) {
    code = explain(error);
  }
  return readerGone ? EXIT.done : code;
}

function explain(error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
  if (readerGone) return EXIT.done;
  const code = codeOf(error);
  // A message that is not ours may repeat what it choked on.
  const said =
    code !== undefined && error instanceof Error
      ? `${error.message} (${code})`
      : `Expected to finish, found a defect (${nameOf(error)}); run it again with RESIDENCY_DEBUG=1 and report what it prints.`;
  output.note(`residency: ${said}`);
  if (env['RESIDENCY_DEBUG'] !== undefined && error instanceof Error)
    output.note(error.stack ?? '');
  return exitCodeOf(error);
}

function nameOf(error: unknown): string {
  const system = error instanceof Error && 'code' in error ? ` ${String(error.code)}` : '';
  return `${error instanceof Error ? error.name : typeof error}${system}`;
}
