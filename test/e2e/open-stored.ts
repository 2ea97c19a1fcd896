import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { KeyDirectory } from '@residency/adapter-filesystem';
import { PemUnwrapper, openSealed } from '@residency/sealing';

const SITES: Readonly<Record<string, string>> = { zurich: 'zrh-2', moscow: 'mow-1' };

/**
 * Opens a stored sample as its region would: the file itself, with that region's private keys, in
 * this process.
 */
export async function openStored(
  data: string,
  submission: string,
  region: string,
): Promise<Buffer> {
  const message = await readFile(
    join(data, 'sites', SITES[region] ?? '', `samples/${submission.slice(0, 1)}/${submission}`),
  );
  const unwrapper = new PemUnwrapper(new KeyDirectory(join(data, 'keys')), region);
  return (await openSealed(message, region, unwrapper)).sample;
}
