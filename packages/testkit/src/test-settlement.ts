import { auditEntry, quarantineEntry, sha256 } from '@residency/contracts';
import type { AuditEvent, LogRecord } from '@residency/contracts';
import type { Batch, Settlement } from '@residency/routing';

/**
 * Settlements of a batch's first `count` records without a router: every record is refused, or
 * quarantined if its value is `QUARANTINE_ME`.
 */
export function settlementsOf(batch: Batch, count: number = batch.records.length): Settlement[] {
  let { previous } = batch;
  return batch.records.slice(0, count).map((record) => {
    const settlement = settlementOf(batch, record, previous);
    previous = record.offset;
    return settlement;
  });
}

/** The value of a record that `settlementsOf` quarantines. */
export const QUARANTINE_ME = Buffer.from('quarantine me');

function settlementOf(
  { log, topic, partition }: Batch,
  record: LogRecord,
  before: bigint | null,
): Settlement {
  const value = record.value ?? Buffer.alloc(0);
  const base = { position: { log, topic, partition, offset: record.offset }, at: record.at };
  const previous = before === null ? null : before.toString();
  const digest = sha256(value);
  if (value.equals(QUARANTINE_ME)) {
    const event: AuditEvent = {
      ...base,
      outcome: 'quarantined',
      data: { previous, reason: 'UNDECODABLE' },
    };
    return {
      event,
      audit: auditEntry(event),
      quarantine: quarantineEntry({
        position: `${log}/${topic}/${partition}/${record.offset}`,
        reason: 'UNDECODABLE',
        detail: 'as the test asked',
        valueSha256: digest,
        valueBytes: value.length,
      }),
    };
  }
  const event: AuditEvent = {
    ...base,
    outcome: 'refused',
    data: {
      previous,
      submission: digest,
      sampleBytes: Math.max(1, value.length),
      verdict: 'suspicious',
      consentId: 'consent-0001',
      reason: 'CONSENT_UNKNOWN',
    },
  };
  return { event, audit: auditEntry(event) };
}
