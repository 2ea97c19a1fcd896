import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { defined } from '@residency/defined';
import { parseInstant } from '@residency/residency/instant';
import { usage } from './cli-error.ts';
import type { ExitCode } from './exit-code.ts';
import type { Session } from './session.ts';
import { refuseUnknownCommands } from './unknown-command.ts';

export const DEFAULT_DATA = './.residency';

/** The options of every command. */
export interface Common {
  readonly data: string;
  /** `--data` was said. */
  readonly dataGiven: boolean;
  /** The file that `--config` names: a cluster's settings. Absent: the data directory. */
  readonly config?: string;
  readonly json: boolean;
  /** Where checkpoints are kept apart from the data directory: `--checkpoints`, or the environment. */
  readonly checkpoints?: string;
}

export type Answer = (code: ExitCode) => void;

/**
 * A command with its examples. `--data`, `--config` and `--json` may be before or after its name.
 */
export function describe(
  parent: Command,
  nameAndArguments: string,
  description: string,
  examples: readonly string[],
): Command {
  return commonOptions(parent.command(nameAndArguments).description(description)).addHelpText(
    'after',
    examplesText(examples),
  );
}

/** A name that has commands under it. */
export function group(
  parent: Command,
  name: string,
  description: string,
  examples: readonly string[],
): Command {
  const made = parent
    .command(name)
    .description(description)
    .addHelpText('after', examplesText(examples));
  refuseUnknownCommands(made);
  return made;
}

export function commonOptions(command: Command): Command {
  return command
    .option(
      '--data <dir>',
      `data directory (default: ${DEFAULT_DATA}); made where it is missing by commands that append to it`,
    )
    .option(
      '--config <file>',
      'ask a cluster instead: lines of RESIDENCY_NAME=value; the environment wins',
    )
    .option(
      '--checkpoints <dir>',
      "where the ledger's newest checkpoint is kept apart from the data directory (default: RESIDENCY_CHECKPOINTS, or the user's state folder)",
    )
    .option('--json', 'one JSON object a line on standard output');
}

export function examplesText(examples: readonly string[]): string {
  return `\nExamples:\n${examples.map((example) => `  $ residency ${example}`).join('\n')}`;
}

/**
 * Runs the implementation that `load` imports, with the command's options and arguments; what it
 * returns becomes the exit code. Loaded only now, so that a command starts without what the others
 * need. The implementation declares the types of its options and arguments; commander's are untyped.
 */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- see above
export function answering<Options extends Common, Arguments extends unknown[]>(
  session: Session,
  answer: Answer,
  load: () => Promise<
    (session: Session, options: Options, ...args: Arguments) => Promise<ExitCode>
  >,
) {
  return async function run(this: Command): Promise<void> {
    const own = this.opts<Partial<Common>>();
    const root = rootOf(this).opts<Partial<Common>>();
    const data = own.data ?? root.data;
    const config = own.config ?? root.config;
    const checkpoints = own.checkpoints ?? root.checkpoints;
    if (data !== undefined && config !== undefined)
      throw usage(
        "Expected either --data or --config, found both; one is a machine's data directory, the other a cluster.",
      );
    const options = {
      ...own,
      data: data ?? DEFAULT_DATA,
      dataGiven: data !== undefined,
      ...defined({ config, checkpoints }),
      json: own.json ?? root.json ?? false,
    };
    const implementation = await load();
    answer(
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
      await implementation(session, options as Options, ...(this.processedArgs as Arguments)),
    );
  };
}

function rootOf(command: Command): Command {
  return command.parent === null ? command : rootOf(command.parent);
}

export function parseAt(text: string): number {
  const at = parseInstant(text);
  if (at === undefined)
    throw new InvalidArgumentError(
      'Expected RFC 3339 (2026-01-31T12:00:00Z) or a date (2026-01-31).',
    );
  return at;
}

export function isSubmission(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

export function parseSubmission(text: string): string {
  if (!isSubmission(text))
    throw new InvalidArgumentError('Expected a submission id, 64 lower-case hex digits.');
  return text;
}

/** A submission id, or a position; what it is the position of is judged later. */
export function parseProvable(text: string): string {
  if (!/^(?:[0-9a-f]{64}|[^/]{1,64}\/[^/]{1,249}\/\d{1,10}\/\d{1,19})$/.test(text))
    throw new InvalidArgumentError(
      'Expected a submission id, 64 lower-case hex digits, or a position (log-4f2a9c1e/residency.policy/0/12).',
    );
  return text;
}

/** For numbers an operator types: digits only, within bounds. */
export function parseWhole(least: number, most: number): (text: string) => number {
  return (text) => {
    const number = /^\d{1,9}$/.test(text) ? Number(text) : -1;
    if (number < least || number > most)
      throw new InvalidArgumentError(`Expected a whole number from ${least} to ${most}.`);
    return number;
  };
}

/** For options that may be said several times. */
export function collect(text: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, text];
}
