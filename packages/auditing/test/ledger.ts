import { encodeAuditEvent, sha256 } from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import {
  EMPTY_LEDGER,
  NOTE_SIGNATURE,
  growth,
  makeKey,
  openSignerKey,
  parseVerifierKey,
  signCheckpoint,
} from '@residency/ledger';
import type { ReadLedgerFile, Signer, Trust } from '@residency/ledger';

const ORIGIN = 'ledger.example/log-1/0';

/** A ledger in memory, as an auditor publishes it. */
export interface TestLedger {
  readonly files: Map<string, Uint8Array>;
  readonly read: ReadLedgerFile;
  readonly trust: Trust;
  readonly signer: Signer;
}

export async function testLedger(entries: readonly Uint8Array[], seed = 1): Promise<TestLedger> {
  const { signerKey, verifierKey } = await makeKey(
    ORIGIN,
    new Uint8Array(32).fill(seed),
    NOTE_SIGNATURE,
  );
  const signer = await openSignerKey(signerKey);
  const { files, root, state } = growth(EMPTY_LEDGER, entries);
  const stored = new Map<string, Uint8Array>(
    files.map(({ path, bytes }) => [path, Uint8Array.from(bytes)]),
  );
  stored.set(
    'checkpoint',
    await signCheckpoint({ origin: ORIGIN, size: state.size, root, extensions: [] }, signer),
  );
  return {
    files: stored,
    read: async (path) => stored.get(path),
    trust: { keys: [parseVerifierKey(verifierKey)] },
    signer,
  };
}

/** The same files with one bit of one of them flipped. */
export function flipped(ledger: TestLedger, path: string, bit: number): TestLedger {
  const files = new Map(ledger.files);
  files.set(path, withBit(ledger.files.get(path) ?? new Uint8Array(), bit));
  return { ...ledger, files, read: async (one) => files.get(one) };
}

export function withBit(bytes: Uint8Array, bit: number): Uint8Array {
  const changed = Uint8Array.from(bytes);
  const at = Math.floor(bit / 8) % changed.length;
  changed[at] = (changed[at] ?? 0) ^ (1 << (bit % 8));
  return changed;
}

/** An audit event as a leaf. */
export function leaf(
  offset: number,
  previous: number | null = offset === 0 ? null : offset - 1,
): Buffer {
  const event: AuditEvent = {
    position: { log: 'log-1', topic: 'threat.samples', partition: 0, offset: BigInt(offset) },
    at: offset,
    outcome: 'refused',
    data: {
      previous: previous === null ? null : String(previous),
      submission: sha256(Buffer.from(String(offset))),
      sampleBytes: 1,
      verdict: 'suspicious',
      consentId: 'consent-0001',
      reason: 'CONSENT_UNKNOWN',
    },
  };
  return encodeAuditEvent(event);
}

/** Of the first so many offsets. */
export const leaves = (count: number): Buffer[] =>
  Array.from({ length: count }, (_, offset) => leaf(offset));
