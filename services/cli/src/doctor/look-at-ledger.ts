import { decodeAuditEvent } from '@residency/contracts';
import {
  CHECKPOINT_PATH,
  LedgerReader,
  TILE_WIDTH,
  openCheckpoint,
  parseCheckpoint,
  parseNote,
} from '@residency/ledger';
import type { ReadLedgerFile, VerifierKey } from '@residency/ledger';

/** What a partition's ledger says, and what the logs say of it. */
export interface LedgerLook {
  readonly partition: number;
  /** Absent: no checkpoint. */
  readonly size?: number;
  /** Its signature. */
  readonly verified: boolean;
  /** The intake offset that its last event is about. */
  readonly last?: bigint;
  /** The one that the ledger must have by now; absent: none. */
  readonly due?: bigint;
  readonly intakeEnd: bigint;
}

/** The checkpoint, its edge and its last entries. Throws as `openCheckpoint` and `LedgerReader`, which say what does not verify. */
export async function lookAtLedger(
  read: ReadLedgerFile,
  key: VerifierKey | undefined,
): Promise<Pick<LedgerLook, 'size' | 'verified' | 'last'>> {
  const checkpoint = await read(CHECKPOINT_PATH);
  if (checkpoint === undefined) return { verified: false };
  const head =
    key === undefined
      ? parseCheckpoint(parseNote(checkpoint).text)
      : (await openCheckpoint(checkpoint, { keys: [key] })).checkpoint;
  const reader = await LedgerReader.open(head, read);
  const last =
    head.size === 0
      ? undefined
      : lastOffset(await reader.entries(Math.floor((head.size - 1) / TILE_WIDTH)));
  return { size: head.size, verified: key !== undefined, ...(last === undefined ? {} : { last }) };
}

function lastOffset(entries: readonly Uint8Array[]): bigint | undefined {
  return entries.map((entry) => intakeOffsetOf(entry)).findLast((offset) => offset !== undefined);
}

/** `undefined`: no audit event; the auditor says so. */
export function intakeOffsetOf(value: Uint8Array | null): bigint | undefined {
  try {
    return value === null ? undefined : decodeAuditEvent(Buffer.from(value)).position.offset;
  } catch {
    return undefined;
  }
}
