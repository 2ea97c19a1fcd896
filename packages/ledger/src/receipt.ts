import { defined } from '@residency/defined';
import { decodeBase64, encodeBase64 } from './base64.ts';
import { joinBytes } from './bytes.ts';
import { parseDecimal } from './decimal.ts';
import { verifyInclusion } from './inclusion-proof.ts';
import { LedgerError } from './ledger-error.ts';
import { decodeNoteText, encodeNoteText } from './note-text.ts';
import { openCheckpoint } from './signed-checkpoint.ts';
import type { OpenedCheckpoint, Trust } from './signed-checkpoint.ts';
import { parseNote } from './signed-note.ts';
import { isTreeSize } from './tree-head.ts';
import { HASH_BYTES, leafHash } from './tree-hash.ts';

// C2SP tlog-proof: an outsider keeps it beside an entry, and verifies the entry with it alone.

const FIRST_LINE = 'c2sp.org/tlog-proof@v1';
/** The largest receipt, including its checkpoint. */
export const MAX_RECEIPT_BYTES = 1_000_000;
/** The height of a tree of 2^53 - 1 leaves. */
const MAX_PROOF_HASHES = 53;

export interface Receipt {
  readonly index: number;
  readonly proof: readonly Uint8Array[];
  /** The signed checkpoint as the ledger published it. */
  readonly checkpoint: Uint8Array;
  /** Not authenticated: the sender of the receipt can change it. Not empty. */
  readonly extra?: Uint8Array;
}

export interface VerifiedReceipt extends OpenedCheckpoint {
  readonly index: number;
  /** Not authenticated. */
  readonly extra?: Uint8Array;
}

export function formatReceipt(receipt: Receipt): Uint8Array {
  const { index, proof, checkpoint, extra } = receipt;
  const lines = [
    FIRST_LINE,
    ...(extra === undefined ? [] : [`extra ${encodeBase64(extra)}`]),
    `index ${index}`,
    ...proof.map((hash) => encodeBase64(hash)),
    '',
    '',
  ];
  const bytes = joinBytes([encodeNoteText(lines.join('\n')), checkpoint]);
  check(receipt, bytes.length);
  return bytes;
}

/**
 * The inverse of `formatReceipt`. Throws `INVALID_RECEIPT`, or `INVALID_NOTE` for the checkpoint,
 * if the bytes differ from its output. Verifies nothing.
 */
export function parseReceipt(bytes: Uint8Array): Receipt {
  const end = endOfHead(bytes);
  const [first, ...lines] = decodeNoteText(bytes.subarray(0, end))?.split('\n') ?? [];
  // A value that cannot be decoded becomes empty, which `check` refuses.
  const extra =
    lines[0]?.startsWith('extra ') === true
      ? (decodeBase64((lines.shift() ?? '').slice('extra '.length)) ?? new Uint8Array())
      : undefined;
  const [, decimal = ''] = /^index (\d+)$/.exec(lines.shift() ?? '') ?? [];
  const index = parseDecimal(decimal);
  const proof = lines.map((line) => decodeBase64(line) ?? new Uint8Array());
  if (first !== FIRST_LINE || index === undefined)
    throw invalid('the lines of c2sp.org/tlog-proof@v1');
  const receipt = {
    index,
    proof,
    checkpoint: bytes.slice(end + 2),
    ...defined({ extra }),
  };
  check(receipt, bytes.length);
  return receipt;
}

/**
 * Checks that a ledger that the verifier trusts committed to this entry, and returns the
 * checkpoint. Otherwise throws `INVALID_RECEIPT`, the errors of `openCheckpoint`, `INVALID_PROOF`
 * or `ROOT_MISMATCH`. Needs no network.
 */
export async function verifyReceipt(
  bytes: Uint8Array,
  entry: Uint8Array,
  trust: Trust,
): Promise<VerifiedReceipt> {
  const { index, proof, checkpoint, extra } = parseReceipt(bytes);
  const opened = await openCheckpoint(checkpoint, trust);
  verifyInclusion(opened.checkpoint, index, leafHash(entry), proof);
  return { ...opened, index, ...defined({ extra }) };
}

/** The start of the first empty line. */
function endOfHead(bytes: Uint8Array): number {
  if (bytes.length > MAX_RECEIPT_BYTES) throw invalid(`at most ${MAX_RECEIPT_BYTES} bytes`);
  for (let at = bytes.indexOf(0x0a); at !== -1; at = bytes.indexOf(0x0a, at + 1)) {
    if (bytes[at + 1] === 0x0a) return at;
  }
  throw invalid('an empty line before the checkpoint');
}

function check({ index, proof, checkpoint, extra }: Receipt, length: number): void {
  if (length > MAX_RECEIPT_BYTES) throw invalid(`at most ${MAX_RECEIPT_BYTES} bytes`);
  if (!isTreeSize(index)) throw invalid('an index of 0 to 2^53 - 1');
  if (proof.length > MAX_PROOF_HASHES || proof.some((hash) => hash.length !== HASH_BYTES))
    throw invalid(`at most ${MAX_PROOF_HASHES} hashes of ${HASH_BYTES} bytes`);
  if (extra?.length === 0) throw invalid('extra data, or no extra line');
  parseNote(checkpoint);
}

function invalid(expected: string): LedgerError {
  return new LedgerError(
    'INVALID_RECEIPT',
    `Expected a receipt with ${expected}, found another; get it again from the ledger.`,
  );
}
