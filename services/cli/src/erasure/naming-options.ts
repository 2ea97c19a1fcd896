import type { Command } from 'commander';

/** `--submission`, `--from` and `--consent`. */
export function namingOptions(command: Command): Command {
  return command
    .option('--submission <id...>', 'the samples of these submissions')
    .option('--from <list>', 'instead, a file with one submission a line; -: standard input')
    .option('--consent <id...>', 'instead, all samples of these consents');
}
