import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { ok, wrong } from '@residency/observation';
import type { CheckResult } from '@residency/observation';
import { printable } from '../terminal/output.ts';
import { grouped } from '../terminal/table.ts';

const CHECK = 'permissions';
const MOST_NAMED = 3;

/**
 * Checks a data directory and its entries, one level deep. It holds plain samples and private keys,
 * and a user who may read a file may lock it. A site's folder may be on a disk with another owner.
 */
export async function judgeModes(path: string): Promise<CheckResult> {
  const wide: string[] = [];
  for (const name of ['.', ...(await readdir(path))]) {
    const found = await lstat(join(path, name)).catch(() => undefined);
    if (found !== undefined && !found.isSymbolicLink() && (found.mode & 0o077) !== 0)
      wide.push(`${printable(name)} (${(found.mode & 0o777).toString(8).padStart(4, '0')})`);
  }
  if (wide.length === 0) return ok(CHECK, "its owner's alone");
  const more = wide.length > MOST_NAMED ? ` and ${grouped(wide.length - MOST_NAMED)} more` : '';
  return wrong(
    CHECK,
    `others may reach ${wide.slice(0, MOST_NAMED).join(', ')}${more}`,
    `chmod -R go-rwx ${printable(path)}, and ask whether somebody used it: samples and keys stand there, and a lock of another user stops the router.`,
  );
}
