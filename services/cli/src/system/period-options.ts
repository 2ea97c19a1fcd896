import type { Command } from 'commander';
import { parseAt } from '../terminal/command.ts';

/** `--from` and `--to`, by append time. */
export function periodOptions(command: Command): Command {
  return command
    .option(
      '--from <instant>',
      'append time of the records that events are about, inclusive; RFC 3339 or a date',
      parseAt,
    )
    .option('--to <instant>', 'append time, exclusive', parseAt);
}
