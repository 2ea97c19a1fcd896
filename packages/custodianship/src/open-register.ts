import { sha256 } from '@residency/contracts';
import { remedyOf } from '@residency/coded-error';
import { decodeRegister } from './register-format.ts';
import type { AuditPlace, Register, RegisterTopics } from './register-format.ts';
import type { AuditFeed, AuditFeedRecord } from './ports/audit-feed.ts';
import type { CustodyLog } from './ports/custody-log.ts';
import type { RegisterStore } from './ports/register-store.ts';

/**
 * Why a register is passed over: its bytes could not be read or are damaged; they are in another
 * format; it is of another log, region or topic; the logs do not have what it was made from.
 */
export const PASSED_OVER_CODES = [
  'REGISTER_UNREADABLE',
  'REGISTER_FORMAT',
  'REGISTER_OF_ANOTHER',
  'REGISTER_AHEAD_OF_LOG',
] as const;
export type PassedOverCode = (typeof PASSED_OVER_CODES)[number];

export type OpenedRegister =
  | {
      readonly register: Register;
      readonly last: ReadonlyMap<number, AuditFeedRecord>;
      readonly bytes: number;
      readonly at: number;
    }
  | { readonly passedOver: PassedOverCode; readonly error?: unknown };

export interface OpenRegisterDeps {
  readonly store: RegisterStore;
  readonly topics: RegisterTopics;
  readonly custody: Pick<CustodyLog, 'log' | 'region'>;
  readonly audit: AuditFeed;
}

/**
 * Reads a register and compares it with the audit log. `undefined`: there is none. Throws what keeps
 * the log from being read (retry).
 */
export async function openRegister(deps: OpenRegisterDeps): Promise<OpenedRegister | undefined> {
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
  return last === undefined
    ? { passedOver: 'REGISTER_AHEAD_OF_LOG' }
    : { register, last, bytes: bytes.length, at };
}

function isOf(
  { log, region, topics }: Register,
  { custody, topics: found }: OpenRegisterDeps,
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
