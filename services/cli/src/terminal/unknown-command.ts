import { levenshtein } from '@residency/configuration/levenshtein';
import type { Command } from 'commander';

/**
 * Refuses a name that is no command of `group`, also where help is asked for it: help about
 * something else would look like an answer.
 */
export function refuseUnknownCommands(group: Command): void {
  group.on('command:*', ([name = '']: readonly string[]) => refuse(group, name));
  group.addHelpText('beforeAll', ({ command }) => {
    if (command === group && group.commands.length > 0) checkAsked(group);
    return '';
  });
}

/** `help NAME` and `NAME --help` ask alike. */
function checkAsked(group: Command): void {
  const [first, second] = group.args;
  const name = first === 'help' ? second : first;
  if (
    name !== undefined &&
    !name.startsWith('-') &&
    !group.commands.some((one) => one.name() === name)
  )
    refuse(group, name);
}

function refuse(group: Command, name: string): never {
  return group.error(`error: unknown command '${name}' (the nearest: ${nearest(group, name)})`, {
    code: 'commander.unknownCommand',
  });
}

/** The nearest by its own name; of equally near ones, the one with fewer words. */
function nearest(group: Command, name: string): string {
  const known = commandsOf(group).map((command) => ({
    path: pathFrom(group, command),
    far: levenshtein(name, command.name()),
  }));
  return known.toSorted((a, b) => a.far - b.far || a.path.length - b.path.length)[0]?.path ?? '';
}

function commandsOf(group: Command): readonly Command[] {
  return group.commands.flatMap((command) => [command, ...commandsOf(command)]);
}

function pathFrom(group: Command, command: Command): string {
  return command.parent === null || command.parent === group
    ? command.name()
    : `${pathFrom(group, command.parent)} ${command.name()}`;
}
