import type { Command } from 'commander';

export interface IntakeOptions {
  readonly url?: string;
  readonly tokenFile?: string;
}

/**
 * `--url` and `--token-file`. A token is never an argument, because every user of the machine can
 * read command lines.
 */
export function intakeOptions(command: Command): Command {
  return command
    .option('--url <url>', 'ask a running intake instead of a data directory')
    .option('--token-file <file>', 'file with the bearer token for --url (or RESIDENCY_TOKEN)');
}
