import { PassThrough } from 'node:stream';
import type { Command } from 'commander';
import { Output } from '../src/terminal/output.ts';
import { createProgram } from '../src/program.ts';

export const session = {
  output: new Output(new PassThrough(), new PassThrough()),
  env: {},
  signal: new AbortController().signal,
  now: () => 0,
  abandonIn: () => undefined,
};

export const program = await createProgram(session, () => undefined, []);

/** Every command and group, each with its whole name. */
export const commands: readonly { readonly path: string; readonly command: Command }[] = tree(
  program,
).map((command) => ({ path: pathOf(command), command }));

/** The names of those that do something, without `residency`. */
export const leaves = commands
  .filter(({ command }) => command.commands.length === 0)
  .map(({ path }) => path.slice('residency '.length))
  .sort();

function tree(command: Command): readonly Command[] {
  return [command, ...command.commands.flatMap(tree)];
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}
