import { codeOf } from '@residency/coded-error';
import { CommanderError } from 'commander';
import { createProgram } from './program.ts';
import { EXIT, exitCodeOf } from './terminal/exit-code.ts';
import type { ExitCode } from './terminal/exit-code.ts';
import type { Session } from './terminal/session.ts';

/**
 * One command line, from its arguments to its exit code. Never throws: what fails is explained on
 * standard error.
 */
export async function runCommand(session: Session, args: readonly string[]): Promise<ExitCode> {
  const { output } = session;
  let code: ExitCode = EXIT.done;
  const run = async (): Promise<void> => {
    const program = await createProgram(
      session,
      (answer) => {
        code = answer;
      },
      args,
    );
    await program.parseAsync(args, { from: 'user' });
  };
  const failure = await failureOf(run());
  const unwritten = await failureOf(output.delivered());
  // `| head` took what it wanted: ends as quietly as it can.
  if (output.readerGone) return EXIT.done;
  // An unwritable answer also interrupts the command. It is reported once.
  const reportedBySecond = failure === unwritten || codeOf(failure) === 'INTERRUPTED';
  if (failure !== undefined && !(unwritten !== undefined && reportedBySecond))
    code = explain(session, failure);
  if (unwritten !== undefined) code = explain(session, unwritten);
  return code === EXIT.done && output.notesLost ? EXIT.unreachable : code;
}

async function failureOf(work: Promise<unknown>): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error ?? new Error('nothing');
  }
}

function explain({ output, env }: Session, error: unknown): ExitCode {
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
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
