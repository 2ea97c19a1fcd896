import { rm } from 'node:fs/promises';
import { prove } from '@residency/auditing';
import type { Proven } from '@residency/auditing';
import type { TopicPartition } from '@residency/contracts';
import { readOf } from './ledgers.ts';
import type { Ledgers } from './ledgers.ts';
import { writeNewFile } from '../terminal/write-new-file.ts';

export async function provenIn(
  system: { ledgers(): Promise<Ledgers> },
  of: TopicPartition,
  leaf: Uint8Array,
): Promise<Proven> {
  const ledgers = await system.ledgers();
  const keys = await ledgers.verifierKeys(of);
  return await prove(readOf(ledgers, of), leaf, of.topic, keys.length === 0 ? undefined : { keys });
}

/** New files, all or none. */
export async function writeTogether(
  files: readonly (readonly [path: string, bytes: Uint8Array])[],
): Promise<void> {
  const written: string[] = [];
  try {
    for (const [path, bytes] of files) {
      await writeNewFile(path, bytes, '--out');
      written.push(path);
    }
  } catch (error) {
    for (const path of written) await rm(path, { force: true });
    throw error;
  }
}
