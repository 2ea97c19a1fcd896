import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import {
  COSIGNATURE,
  EMPTY_LEDGER,
  LedgerReader,
  MAX_ENTRY_BYTES,
  NOTE_SIGNATURE,
  appendEntries,
  consistencyProof,
  cosign,
  formatNote,
  formatReceipt,
  growth,
  inclusionProof,
  makeKey,
  openSignerKey,
  parseNote,
  partialFiles,
  signCheckpoint,
  stateRoot,
} from '@residency/ledger';
import type { LedgerFile, LedgerState, Signer, TreeHead } from '@residency/ledger';

const BATCH = 1_000;
/** Sizes around every change in the shape of tiles and proofs; the last is the ledger's size. */
const PUBLISHED = [1, 2, 255, 256, 257, 5_000, 65_535, 65_536, 65_537];
const RECEIPTS = [0, 1, 254, 255, 256, 4_999, 65_535, 65_536];

/**
 * The n-th entry. Entries have every length up to that of a long audit event; the first two are the
 * shortest and the longest allowed.
 */
export function entryOf(index: number): Uint8Array {
  if (index === 0) return new Uint8Array();
  if (index === 1) return new Uint8Array(MAX_ENTRY_BYTES).fill(0x61);
  return new Uint8Array(
    Buffer.from(
      `{"id":"log-interop/threat.samples/0/${index}","filler":"${'x'.repeat((index * 37) % 900)}"}`,
    ),
  );
}

/**
 * Writes a ledger of `entries` entries under `folder`, published at several sizes, going on from
 * its own files after each as a restarted auditor does:
 *
 *   ledger/                the tiles, and the newest checkpoint
 *   checkpoints/<size>     every published one, cosigned
 *   consistency/<a>-<b>    proofs from each published size to the next and to the last
 *   receipts/<n>.tlog-proof, <n>.entry
 *   keys                   the verifier keys of ledger and witness
 */
export async function writeLedger(folder: string, entries: number): Promise<void> {
  const log = await makeKey('ledger.example/interop', new Uint8Array(32).fill(1), NOTE_SIGNATURE);
  const witness = await makeKey('witness.example/interop', new Uint8Array(32).fill(2), COSIGNATURE);
  await write(folder, 'keys', Buffer.from(`${log.verifierKey}\n${witness.verifierKey}\n`));
  const signers = {
    log: await openSignerKey(log.signerKey),
    witness: await openSignerKey(witness.signerKey),
  };
  const sizes = [...PUBLISHED.filter((size) => size < entries), entries];
  const heads: TreeHead[] = [];
  let state = EMPTY_LEDGER;
  for (const size of sizes) {
    const grown = await grow(folder, state, size);
    const head = { size, root: stateRoot(grown) };
    await publish(folder, head, signers);
    heads.push(head);
    state = await (await open(folder, head)).state();
  }
  await handOut(folder, heads);
}

/** In batches with full tiles; the partial ones at the end. A small step uses `growth` directly. */
async function grow(folder: string, published: LedgerState, size: number): Promise<LedgerState> {
  const batch = (from: number) =>
    Array.from({ length: Math.min(BATCH, size - from) }, (_, at) => entryOf(from + at));
  if (size - published.size <= BATCH) {
    const { state, files } = growth(published, batch(published.size));
    await writeFiles(folder, files);
    return state;
  }
  let state = published;
  while (state.size < size) {
    const grown = appendEntries(state, batch(state.size));
    await writeFiles(folder, grown.files);
    ({ state } = grown);
  }
  await writeFiles(folder, partialFiles(state, published.size));
  return state;
}

async function publish(
  folder: string,
  head: TreeHead,
  { log, witness }: { readonly log: Signer; readonly witness: Signer },
): Promise<void> {
  const { text, signatures } = parseNote(
    await signCheckpoint({ ...head, origin: log.key.name, extensions: [] }, log),
  );
  const checkpoint = formatNote({
    text,
    signatures: [...signatures, await cosign(text, witness, 1_700_000_000 + head.size)],
  });
  await write(folder, `checkpoints/${head.size}`, checkpoint);
  await write(folder, 'ledger/checkpoint', checkpoint);
}

async function handOut(folder: string, heads: readonly TreeHead[]): Promise<void> {
  for (const [at, head] of heads.entries()) {
    const reader = await open(folder, head);
    const read = (height: number, index: number) => reader.hash(height, index);
    const checkpoint = await readFile(join(folder, `checkpoints/${head.size}`));
    for (const older of heads.slice(at === heads.length - 1 ? 0 : Math.max(0, at - 1), at)) {
      const proof = await consistencyProof(older.size, head.size, read);
      await write(
        folder,
        `consistency/${older.size}-${head.size}`,
        Buffer.from(proof.map((hash) => `${Buffer.from(hash).toString('base64')}\n`).join('')),
      );
    }
    for (const index of [...RECEIPTS, head.size - 1].filter((one) => one < head.size)) {
      await write(
        folder,
        `receipts/${index}-in-${head.size}.tlog-proof`,
        formatReceipt({ index, proof: await inclusionProof(head.size, index, read), checkpoint }),
      );
      await write(folder, `receipts/${index}-in-${head.size}.entry`, entryOf(index));
    }
  }
}

function open(folder: string, head: TreeHead): Promise<LedgerReader> {
  return LedgerReader.open(head, (path) =>
    readFile(join(folder, 'ledger', path)).catch(() => undefined),
  );
}

async function writeFiles(folder: string, files: readonly LedgerFile[]): Promise<void> {
  for (const { path, bytes } of files) await write(folder, `ledger/${path}`, bytes);
}

async function write(folder: string, path: string, bytes: Uint8Array): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true });
  await writeFile(join(folder, path), bytes);
}
