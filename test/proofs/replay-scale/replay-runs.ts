import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { generateLog } from './generate-log.ts';
import type { GeneratedLog } from './generate-log.ts';
import { bareConsumer, residency } from './run-measured.ts';
import type { Measured } from './run-measured.ts';

export interface ReplayRun {
  readonly generated: GeneratedLog;
  readonly bare: Measured;
  readonly replay: Measured;
  /** Each into an empty folder, with the view by consent. */
  readonly into: readonly [Measured, Measured];
  readonly adjudicate: Measured;
  /** The digests of the bare consumer and of each replay. */
  readonly digests: readonly string[];
  /** SHA-256 over all files of each replay with views. */
  readonly views: readonly string[];
  readonly differences: number;
  readonly decidedAgain: number;
}

/**
 * Generates a log of `events`, then reads it bare, replays it without views and twice into empty
 * folders, and adjudicates it.
 */
export async function replayRun(under: string, events: number): Promise<ReplayRun> {
  const folder = await mkdtemp(join(under, 'residency-replay-'));
  try {
    const data = join(folder, 'data');
    const generated = await generateLog(data, events);
    // One unmeasured read first, so that all runs find the file in the system's cache.
    const bareFirst = await bareConsumer(data);
    const replay = await residency('audit', 'replay', '--json', '--data', data);
    const bare = await bareConsumer(data);
    const into = [
      await residency('audit', 'replay', '--json', '--data', data, '--into', join(folder, 'one')),
      await residency('audit', 'replay', '--json', '--data', data, '--into', join(folder, 'two')),
    ] as const;
    const adjudicate = await residency('audit', 'adjudicate', '--json', '--data', data);
    const judged: { readonly differences: number; readonly regionsDecided: number } = JSON.parse(
      adjudicate.out.trim().split('\n').at(-1) ?? '',
    );
    return {
      generated,
      bare,
      replay,
      into,
      adjudicate,
      differences: judged.differences,
      decidedAgain: judged.regionsDecided,
      digests: [bareFirst.out.trim(), ...[replay, ...into].map(({ out }) => digestIn(out))],
      views: [await sha256OfFolder(join(folder, 'one')), await sha256OfFolder(join(folder, 'two'))],
    };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function digestIn(out: string): string {
  const { digest }: { readonly digest: string } = JSON.parse(out);
  return digest;
}

async function sha256OfFolder(folder: string): Promise<string> {
  const hash = createHash('sha256');
  const files = (await readdir(folder, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name))
    .sort();
  for (const file of files) hash.update(file.slice(folder.length)).update(await readFile(file));
  return hash.digest('hex');
}
