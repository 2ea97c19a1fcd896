import { InvalidArgumentError } from 'commander';
import type { Command } from 'commander';
import { parseInstant } from '@residency/residency';
import { usage } from './cli-error.ts';
import type { ExitCode } from './exit-code.ts';

export const DEFAULT_DATA = './.residency';

/** What every command takes. */
export interface Common {
  readonly data: string;
  /** `--data` was said. */
  readonly dataGiven: boolean;
  /** The file that `--config` names: a cluster's settings. Absent: the data directory. */
  readonly config?: string;
  readonly json: boolean;
}

export type Answer = (code: ExitCode) => void;

/** A command with its examples; `--data`, `--config` and `--json` may stand before or after its name. */
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
  return parent.command(name).description(description).addHelpText('after', examplesText(examples));
}

export function commonOptions(command: Command): Command {
  return command
    .option('--data <dir>', `data directory, made where it is missing (default: ${DEFAULT_DATA})`)
    .option(
      '--config <file>',
      'ask a cluster instead: lines of RESIDENCY_NAME=value; the environment wins',
    )
    .option('--json', 'one JSON object a line on standard output');
}

export function examplesText(examples: readonly string[]): string {
  return `\nExamples:\n${examples.map((example) => `  $ residency ${example}`).join('\n')}`;
}

/** Runs `handler` with the command's options and arguments; what it returns becomes the exit code. What they are is declared beside the command: commander does not say. */
// oxlint-disable-next-line typescript/no-unnecessary-type-parameters -- see above
export function answering<Options extends object, Arguments extends unknown[]>(
  answer: Answer,
  handler: (options: Options & Common, ...args: Arguments) => Promise<ExitCode>,
) {
  return async function run(this: Command): Promise<void> {
    const own = this.opts<Options & Partial<Common>>();
    const root = rootOf(this).opts<Partial<Common>>();
    const data = own.data ?? root.data;
    const config = own.config ?? root.config;
    if (data !== undefined && config !== undefined)
      throw usage(
        "Expected either --data or --config, found both; one is a machine's data directory, the other a cluster.",
      );
    const options = {
      ...own,
      data: data ?? DEFAULT_DATA,
      dataGiven: data !== undefined,
      ...(config === undefined ? {} : { config }),
      json: own.json ?? root.json ?? false,
    };
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- see above
    answer(await handler(options, ...(this.processedArgs as Arguments)));
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

export function parseSubmission(text: string): string {
  if (!/^[0-9a-f]{64}$/.test(text))
    throw new InvalidArgumentError('Expected a submission id, 64 lower-case hex digits.');
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
