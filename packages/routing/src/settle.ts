import { formatPosition, sha256 } from '@residency/contracts';
import type { AuditEvent, QuarantinePointer } from '@residency/contracts';
import type { Decoded } from './decode.ts';
import type { Finding } from './finding.ts';
import type { Batch, Settlement } from './ports/submission-log.ts';

/** Gives findings their place in the log: position, T, and `previous`, by which a hole is visible in the audit log alone. */
export function settle(
  batch: Batch,
  findings: readonly { readonly decoded: Decoded; readonly finding: Finding }[],
): readonly Settlement[] {
  let previous = batch.previous;
  return findings.map(({ decoded, finding }) => {
    const { record, redriveOf, traceparent } = decoded;
    const position = {
      log: batch.log,
      topic: batch.topic,
      partition: batch.partition,
      offset: record.offset,
    };
    const common = {
      previous: previous === null ? null : previous.toString(),
      ...(redriveOf === undefined ? {} : { redriveOf }),
    };
    previous = record.offset;
    const event = audit(
      { position, at: record.at, ...(traceparent === undefined ? {} : { traceparent }) },
      common,
      finding,
    );
    if (finding.outcome !== 'quarantined') return { event };
    const pointer: QuarantinePointer = {
      position: formatPosition(position),
      reason: finding.data.reason,
      detail: finding.detail,
      valueSha256: sha256(record.value ?? Buffer.alloc(0)),
      valueBytes: record.value?.length ?? 0,
    };
    return { event, pointer };
  });
}

type Envelope = Pick<AuditEvent, 'position' | 'at' | 'traceparent'>;

function audit(
  envelope: Envelope,
  common: { readonly previous: string | null; readonly redriveOf?: string },
  finding: Finding,
): AuditEvent {
  switch (finding.outcome) {
    case 'stored':
      return { ...envelope, outcome: finding.outcome, data: { ...common, ...finding.data } };
    case 'duplicate':
      return { ...envelope, outcome: finding.outcome, data: { ...common, ...finding.data } };
    case 'refused':
      return { ...envelope, outcome: finding.outcome, data: { ...common, ...finding.data } };
    case 'quarantined':
      return { ...envelope, outcome: finding.outcome, data: { ...common, ...finding.data } };
    default:
      return finding satisfies never;
  }
}
