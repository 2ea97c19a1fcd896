import { stat } from 'node:fs/promises';
import { hasCode } from '@residency/coded-error';
import { ok, unknown, wrong } from './finding.ts';
import type { Finding } from './finding.ts';

const CHECK = 'ledger key';

/** The file that signs: whoever reads it can sign a ledger that never was. Nobody else looks at its mode. */
export async function judgeKeyFile(path: string): Promise<Finding> {
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
