import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PemUnwrapper, generateRegionKey } from '@residency/sealing';
import { describeKeyUnwrapper } from '@residency/testkit';
import { KeyDirectory } from '../src/key-directory.ts';

const keys = [await generateRegionKey('zurich', 0), await generateRegionKey('zurich', 1)] as const;

describeKeyUnwrapper('PEM files', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'residency-unwrapper-'));
  const path = join(folder, 'keys');
  const directory = new KeyDirectory(path);
  for (const key of keys) await directory.add('zurich', key);
  return {
    unwrapper: new PemUnwrapper(directory, 'zurich'),
    keys,
    cutOff: async () => {
      await rename(path, join(folder, 'away'));
      await writeFile(path, 'no folder');
    },
    close: () => rm(folder, { recursive: true }),
  };
});
