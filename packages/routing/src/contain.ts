import { encodeAuditEvent } from '@residency/contracts';
import type { AuditEvent, LogRecord } from '@residency/contracts';
import { defined } from '@residency/defined';
import { quarantined } from './decode.ts';
import type { Decoded } from './decode.ts';
import type { RecordResult } from './record-result.ts';
import type { Placeable } from './judge.ts';
import { RoutingError } from './routing-error.ts';

const DETAIL =
  'the record could not be judged; nothing of it is repeated here; redrive it once a release reads it';

/**
 * The result of a record that makes a check throw: its submission if it was read, and nothing else.
 */
export function unprocessable(submission?: string, detail: string = DETAIL): RecordResult {
  return quarantined('UNPROCESSABLE', detail, defined({ submission }));
}

/**
 * Runs a step that depends on the record alone. Any exception is the record's fault, not the
 * process's (DESIGN §2.6).
 */
export function decodeContained(record: LogRecord, decode: () => Decoded): Decoded {
  try {
    return decode();
  } catch {
    return { record, read: { result: unprocessable() } };
  }
}

/**
 * The same for judging. The event is encoded before anything is sealed: if the outcome cannot be
 * recorded, nothing may be placed, because an object without an event would have no owner.
 */
export function judgeContained(
  { record }: Decoded,
  submission: string,
  judge: () => Placeable | RecordResult,
): Placeable | RecordResult {
  try {
    const judgement = judge();
    const data = 'outcome' in judgement ? judgement.data : judgement.judged;
    encodeAuditEvent({
      ...NOWHERE,
      at: record.at,
      outcome: 'quarantined',
      data: { ...data, previous: null, reason: 'UNPROCESSABLE' },
    });
    return judgement;
  } catch {
    return unprocessable(submission);
  }
}

const NOWHERE: Pick<AuditEvent, 'position'> = {
  position: { log: 'log', topic: 'topic', partition: 0, offset: 0n },
};

/**
 * A record that was set aside is not quarantined if a site holds bytes of it, or if that cannot be
 * known (docs/decisions/0016).
 */
export function setAsideRefused(
  position: string,
  sites: readonly string[],
  cause: unknown,
): RoutingError {
  return new RoutingError({
    code: 'SET_ASIDE_REFUSED',
    remedy: 'retry',
    cause,
    message: `Expected to find no object of ${position}, which was set aside, found one in ${sites.join(', ')}, or no answer there. A quarantined record must leave no bytes, so its partition keeps waiting. See docs/runbooks/ResidencyRecordBlocked.md.`,
  });
}

/**
 * For a failure that is the record's fault but cannot be settled: its partition waits until a new
 * release can settle it, or until a person sets it aside.
 */
export function recordBlocked(cause: unknown): RoutingError {
  return new RoutingError({
    code: 'RECORD_BLOCKED',
    remedy: 'retry',
    cause,
    message:
      'Expected to settle the record, found an error that no check foresees; its partition waits at it and tries again. Report the defect; `residency quarantine set-aside` gets past it (docs/runbooks/ResidencyRecordBlocked.md).',
  });
}
