import { readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { sha256 } from '../on-disk.ts';
import type { SeededRandom } from '../seeded-random.ts';

export const WAYS = ['removed', 'cut', 'flipped'] as const;
export type Way = (typeof WAYS)[number];

/** An object that the proof broke. */
export interface Broken {
  readonly way: Way;
  /** Of what is left of it; absent: nothing is. */
  readonly sha256?: string;
}

/** Breaks a file in a chance way, as a disk or a person would: past every service. */
export async function breakFile(path: string, random: SeededRandom): Promise<Broken> {
  const way = random.pick(WAYS);
  switch (way) {
    case 'removed':
      await rm(path);
      return { way };
    case 'cut': {
      await truncate(path, random.below((await stat(path)).size));
      return { way, sha256: sha256(await readFile(path)) };
    }
    case 'flipped': {
      const bytes = await readFile(path);
      const at = random.below(bytes.length);
      bytes[at] = (bytes[at] ?? 0) ^ (1 << random.below(8));
      // In place: metadata may be attributes of the file.
      await writeFile(path, bytes, { flag: 'r+' });
      return { way, sha256: sha256(bytes) };
    }
    default:
      return way satisfies never;
  }
}
