import { auditEntry, formatPosition, quarantineEntry, sha256 } from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import { defined } from '@residency/defined';
import { recordBlocked, unprocessable } from './contain.ts';
import type { Decoded } from './decode.ts';
import type { RecordResult } from './record-result.ts';
import type { Batch, BatchResult, Settlement } from './ports/submission-log.ts';

export interface RoutedRecord {
  readonly decoded: Decoded;
  readonly result: RecordResult;
}

/**
 * Adds to each routed record its place in the log: position, T, and `previous`, which makes a hole
 * visible in the audit log alone. Ends, blocked, at a record for which not even an `UNPROCESSABLE`
 * event can be written.
 */
export function assembleResult(batch: Batch, routed: readonly RoutedRecord[]): BatchResult {
  const settlements: Settlement[] = [];
  let { previous } = batch;
  for (const record of routed) {
    const { offset } = record.decoded.record;
    try {
      settlements.push(settlementOrUnprocessable(batch, previous, record));
    } catch (cause) {
      return {
        settlements,
        blocked: { offset, error: recordBlocked(cause), bytesIn: async () => ownSites(record) },
      };
    }
    previous = offset;
  }
  return { settlements };
}

/** The sites in which the record's own object was created. */
function ownSites({ result: { data } }: RoutedRecord): readonly string[] {
  const placements = 'placements' in data ? (data.placements ?? []) : [];
  return placements.filter(({ adopted }) => adopted === undefined).map(({ site }) => site);
}

/**
 * A result that cannot be encoded is the record's fault, and the record becomes unprocessable. But
 * if an object was created for it, that object would have no event; then this throws.
 */
function settlementOrUnprocessable(
  batch: Batch,
  previous: bigint | null,
  record: RoutedRecord,
): Settlement {
  try {
    return settlementOf(batch, previous, record);
  } catch (error) {
    if ('placements' in record.result.data) throw error;
    return settlementOf(batch, previous, {
      decoded: { record: record.decoded.record, read: record.decoded.read },
      result: unprocessable(record.result.data.submission),
    });
  }
}

/**
 * Throws if event or pointer cannot be encoded, so that the log gets only values that it can write.
 */
function settlementOf(
  batch: Batch,
  previous: bigint | null,
  { decoded, result }: RoutedRecord,
): Settlement {
  const { record, redriveOf, traceparent } = decoded;
  const position = {
    log: batch.log,
    topic: batch.topic,
    partition: batch.partition,
    offset: record.offset,
  };
  const common = {
    previous: previous === null ? null : previous.toString(),
    ...defined({ redriveOf }),
  };
  const event = audit({ position, at: record.at, ...defined({ traceparent }) }, common, result);
  const settled = { event, audit: auditEntry(event) };
  if (result.outcome !== 'quarantined') return settled;
  return {
    ...settled,
    quarantine: quarantineEntry({
      position: formatPosition(position),
      reason: result.data.reason,
      detail: result.detail,
      valueSha256: sha256(record.value ?? Buffer.alloc(0)),
      valueBytes: record.value?.length ?? 0,
    }),
  };
}

type Envelope = Pick<AuditEvent, 'position' | 'at' | 'traceparent'>;

function audit(
  envelope: Envelope,
  common: { readonly previous: string | null; readonly redriveOf?: string },
  result: RecordResult,
): AuditEvent {
  switch (result.outcome) {
    case 'stored':
      return { ...envelope, outcome: result.outcome, data: { ...common, ...result.data } };
    case 'duplicate':
      return { ...envelope, outcome: result.outcome, data: { ...common, ...result.data } };
    case 'refused':
      return { ...envelope, outcome: result.outcome, data: { ...common, ...result.data } };
    case 'quarantined':
      return { ...envelope, outcome: result.outcome, data: { ...common, ...result.data } };
    default:
      return result satisfies never;
  }
}
