import { stat } from 'node:fs/promises';
import { hasCode } from '@residency/coded-error';
import { ok, unknown, wrong } from '@residency/observation';
import type { CheckResult } from '@residency/observation';

const CHECK = 'ledger key';

/** Checks the mode of the file that signs: a user who can read it can forge a ledger. */
export async function judgeKeyFile(path: string): Promise<CheckResult> {
  let mode: number;
  try {
    ({ mode } = await stat(path));
  } catch (error) {
    if (hasCode(error, 'ENOENT'))
      return wrong(
        CHECK,
        'no such file',
        'Make one where there has never been one (residency audit key generate); else restore it from a backup.',
      );
    return unknown(
      CHECK,
      `a file that can not be looked at (${error instanceof Error && 'code' in error ? String(error.code) : 'no code'})`,
      'Correct the permissions of its folder.',
    );
  }
  const shown = (mode & 0o777).toString(8).padStart(4, '0');
  return (mode & 0o077) === 0
    ? ok(CHECK, `there, mode ${shown}`)
    : wrong(
        CHECK,
        `mode ${shown}: others on this machine can read or replace it`,
        'chmod 600, and ask whether somebody did: a key that leaked is to be replaced.',
      );
}
