import { CliError } from './cli-error.ts';

/** The digest of `--yes` is of another plan. */
export function planChanged(): CliError {
  return new CliError({
    code: 'PLAN_CHANGED',
    message:
      'Expected --yes with the digest of the plan as it is now, found another; nothing was ordered. Look at the plan again: repeat the command without --yes.',
    remedy: 'stop',
  });
}
