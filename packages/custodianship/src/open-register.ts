import { sha256 } from '@residency/contracts';
import { remedyOf } from '@residency/coded-error';
import { CustodyHead } from './custody-head.ts';
import { decodeRegister } from './register-format.ts';
import type { AuditPlace, Register, RegisterTopics } from './register-format.ts';
import type { AuditFeed, AuditFeedRecord } from './ports/audit-feed.ts';
import type { CustodyReading } from './ports/custody-log.ts';
import type { RegisterStore } from './ports/register-store.ts';

/**
 * Why a register is passed over: its bytes could not be read or are damaged; they are in another
 * format; it is of another log, region or topic; the logs do not have what it was made from; the
 * arbiter to come was not in service when it was made, so that it does not say what that site lacks
 * (only for claims, and only what it says of the audit log).
 */
export const PASSED_OVER_CODES = [
  'REGISTER_UNREADABLE',
  'REGISTER_FORMAT',
  'REGISTER_OF_ANOTHER',
  'REGISTER_AHEAD_OF_LOG',
  'REGISTER_WITHOUT_SITE',
] as const;
export type PassedOverCode = (typeof PASSED_OVER_CODES)[number];

/** A register that both logs lead to. */
export interface OpenedRegister<Log extends CustodyReading> {
  readonly register: Register;
  /** With what the custody log has since. */
  readonly head: CustodyHead<Log>;
  /** The last record of each audit partition that the register was made from. */
  readonly last: ReadonlyMap<number, AuditFeedRecord>;
  readonly bytes: number;
  /** When it was saved, wall clock, milliseconds. */
  readonly at: number;
}

export interface OpenRegisterDeps<Log extends CustodyReading> {
  readonly store: Pick<RegisterStore, 'read'>;
  readonly topics: RegisterTopics;
  readonly custody: Log;
  readonly audit: AuditFeed;
  readonly passedOver: (code: PassedOverCode, error?: unknown) => void;
}

/**
 * Reads a register, compares it with both logs, and reads what is new in the custody log. `undefined`:
 * there is none, or it is passed over. Throws what keeps the logs from being read (retry).
 */
export async function openRegister<Log extends CustodyReading>(
  deps: OpenRegisterDeps<Log>,
): Promise<OpenedRegister<Log> | undefined> {
  const found = await readRegister(deps);
  if (found === undefined) return undefined;
  if ('passedOver' in found) {
    deps.passedOver(found.passedOver, found.error);
    return undefined;
  }
  const head = await CustodyHead.resume(deps.custody, found.register.head);
  if (head !== undefined) return { ...found, head };
  deps.passedOver(AHEAD.passedOver);
  return undefined;
}

interface PassedOver {
  readonly passedOver: PassedOverCode;
  readonly error?: unknown;
}

const AHEAD: PassedOver = { passedOver: 'REGISTER_AHEAD_OF_LOG' };

async function readRegister(
  deps: Omit<OpenRegisterDeps<CustodyReading>, 'passedOver'>,
): Promise<Omit<OpenedRegister<CustodyReading>, 'head'> | PassedOver | undefined> {
  let found: Awaited<ReturnType<RegisterStore['read']>>;
  try {
    found = await deps.store.read();
  } catch (error) {
    return { passedOver: 'REGISTER_UNREADABLE', error };
  }
  if (found === undefined) return undefined;
  const { bytes, at } = found;
  const register = decodeRegister(bytes);
  if (register === undefined) return { passedOver: 'REGISTER_FORMAT' };
  if (!isOf(register, deps)) return { passedOver: 'REGISTER_OF_ANOTHER' };
  const last = await lastRead(register.audit, deps.audit);
  return last === undefined ? AHEAD : { register, last, bytes: bytes.length, at };
}

function isOf(
  { log, region, topics }: Register,
  { custody, topics: found }: Pick<OpenRegisterDeps<CustodyReading>, 'custody' | 'topics'>,
): boolean {
  return (
    log === custody.log &&
    region === custody.region &&
    topics.audit === found.audit &&
    topics.custody === found.custody
  );
}

/** The last record of each partition; `undefined`: one of them is not in the log. */
async function lastRead(
  places: readonly AuditPlace[],
  audit: AuditFeed,
): Promise<ReadonlyMap<number, AuditFeedRecord> | undefined> {
  const last = new Map<number, AuditFeedRecord>();
  try {
    for (const { partition, offset, digest } of places) {
      for await (const record of audit.read(partition, offset)) {
        if (record.offset === offset && auditDigest(record) === digest) last.set(partition, record);
        break;
      }
      if (!last.has(partition)) return undefined;
    }
  } catch (error) {
    // The log ends before it, or cannot be read from its start either.
    if (remedyOf(error) !== 'stop') throw error;
    return undefined;
  }
  return last;
}

export function auditDigest({ value }: Pick<AuditFeedRecord, 'value'>): string {
  return sha256(value ?? Buffer.alloc(0));
}
