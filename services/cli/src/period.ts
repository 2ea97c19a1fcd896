import type { Command } from 'commander';
import type { Period } from '@residency/auditing';
import { usage } from './cli-error.ts';
import { parseAt } from './command.ts';

/** `--from` and `--to`, in T. */
export function periodOptions(command: Command): Command {
  return command
    .option(
      '--from <instant>',
      'append time of the records that events are about, inclusive; RFC 3339 or a date',
      parseAt,
    )
    .option('--to <instant>', 'append time, exclusive', parseAt);
}

export function periodOf({ from, to }: Period): Period {
  if (from !== undefined && to !== undefined && from >= to)
    throw usage('Expected --from before --to, found it at or behind it.');
  return { ...(from === undefined ? {} : { from }), ...(to === undefined ? {} : { to }) };
}
