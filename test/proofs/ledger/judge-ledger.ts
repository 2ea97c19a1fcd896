import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fsck } from '@residency/auditing';
import { LedgerReader, openCheckpoint, parseCheckpoint } from '@residency/ledger';
import type { TreeHead } from '@residency/ledger';
import type { ExpectedLedger } from './expected-ledger.ts';
import { proofSigner } from './grow-directory.ts';

export interface LedgerJudgement {
  readonly files: number;
  readonly heads: number;
  /** Files, heads or checkpoints that do not belong to the one tree. */
  readonly forks: readonly string[];
  readonly missing: readonly string[];
  /** The findings of `fsck`. */
  readonly fsck: readonly string[];
}

/** The published head with a verified signature; `undefined`: none. */
export async function publishedIn(directory: string): Promise<TreeHead | undefined> {
  const bytes = await readFile(join(directory, '0', 'checkpoint')).catch(() => undefined);
  if (bytes === undefined) return undefined;
  const { key } = await proofSigner();
  return (await openCheckpoint(bytes, { keys: [key] })).checkpoint;
}

/** Judges every file, whichever writer created it, and the whole ledger as a reader sees it. */
export async function judgeLedger(
  directory: string,
  expected: ExpectedLedger,
): Promise<LedgerJudgement> {
  const forks: string[] = [];
  const missing: string[] = [];
  const paths = await filesIn(join(directory, '0'));
  for (const path of paths.filter((one) => one.startsWith('tile/'))) {
    const content = expected.file(path);
    if (
      content === undefined ||
      Buffer.compare(content, await readFile(join(directory, '0', path))) !== 0
    )
      forks.push(`${path} has other bytes`);
  }
  const heads = await chainOfHeads(directory, paths, expected, forks);
  const published = await publishedIn(directory);
  if (published?.size !== expected.leaves.length)
    missing.push(
      `${expected.leaves.length - (published?.size ?? 0)} leaves are under no checkpoint`,
    );
  if (published !== undefined) await readWhole(directory, published, expected, { forks, missing });
  return { files: paths.length, heads, forks, missing, fsck: await checked(directory) };
}

async function checked(directory: string): Promise<readonly string[]> {
  const { key } = await proofSigner();
  const { fault, entryFaults } = await fsck(
    (path) => readFile(join(directory, '0', path)).catch(() => undefined),
    { trust: { keys: [key] } },
  );
  return [
    ...(fault === undefined ? [] : [`fsck: ${fault.code} in ${fault.path}`]),
    ...(entryFaults.total === 0 ? [] : [`fsck: ${entryFaults.total} faulty entries`]),
  ];
}

/** The heads must form one chain from the empty tree to the end. */
async function chainOfHeads(
  directory: string,
  paths: readonly string[],
  { roots, leaves }: ExpectedLedger,
  forks: string[],
): Promise<number> {
  const next = new Map<number, TreeHead>();
  for (const path of paths.filter((one) => one.startsWith('next/'))) {
    next.set(
      Number(path.slice('next/'.length).replaceAll(/[x/]/g, '')),
      parseCheckpoint(await readFile(join(directory, '0', path), 'utf8')),
    );
  }
  let [at, count] = [0, 0];
  for (let head = next.get(at); head !== undefined; head = next.get(at)) {
    if (Buffer.compare(head.root, roots[head.size] ?? new Uint8Array()) !== 0)
      forks.push(`the head of size ${head.size} has another root`);
    [at, count] = [head.size, count + 1];
  }
  if (at !== leaves.length || count !== next.size)
    forks.push(`${next.size - count} heads beside the chain, which ends at ${at}`);
  return count;
}

async function readWhole(
  directory: string,
  head: TreeHead,
  { leaves, roots }: ExpectedLedger,
  { forks, missing }: { readonly forks: string[]; readonly missing: string[] },
): Promise<void> {
  if (Buffer.compare(head.root, roots[head.size] ?? new Uint8Array()) !== 0)
    forks.push('the checkpoint has another root');
  const reader = await LedgerReader.open(head, (path) =>
    readFile(join(directory, '0', path)).catch(() => undefined),
  );
  for (let bundle = 0; bundle * 256 < head.size; bundle += 1) {
    for (const [at, entry] of (await reader.entries(bundle)).entries()) {
      if (Buffer.compare(entry, leaves[bundle * 256 + at] ?? new Uint8Array()) !== 0)
        missing.push(`leaf ${bundle * 256 + at} is not the log's event`);
    }
  }
}

async function filesIn(directory: string): Promise<readonly string[]> {
  const entries = await readdir(directory, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(directory.length + 1))
    .sort();
}
