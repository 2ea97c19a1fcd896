import { decodeKafka } from '@residency/cloudevents';
import { auditEventIn } from './audit-event.ts';
import { sha256, submissionId } from './digest.ts';
import type { LogRecord } from './log-record.ts';

/**
 * The first member in which an intake record differs from its audit event. `undefined`: all members
 * that both have agree. Events of later types are not compared.
 */
export function differenceOf(
  event: Uint8Array,
  record: Pick<LogRecord, 'at' | 'headers' | 'value'>,
): string | undefined {
  const settled = auditEventIn(event);
  if (settled === undefined) return undefined;
  if (record.at !== settled.at) return `appended at ${time(record.at)}, not at ${time(settled.at)}`;
  const { submission, sampleBytes, sampleSha256 } = {
    sampleBytes: undefined,
    sampleSha256: undefined,
    ...settled.data,
  };
  const found = submission === undefined ? undefined : submissionOf(record);
  if (found === undefined) return undefined;
  if (found.submission !== submission) return 'of another submission';
  if (sampleBytes !== undefined && found.data.length !== sampleBytes)
    return 'with a sample of another length';
  return sampleSha256 !== undefined && sha256(found.data) !== sampleSha256
    ? 'with another sample'
    : undefined;
}

/**
 * `undefined`: this release cannot read the record as a CloudEvent, although the release that
 * settled it could.
 */
function submissionOf(
  record: Pick<LogRecord, 'headers' | 'value'>,
): { readonly submission: string; readonly data: Buffer } | undefined {
  try {
    const { source, id, data } = decodeKafka(record);
    return { submission: submissionId({ source, id }), data: data ?? Buffer.alloc(0) };
  } catch {
    return undefined;
  }
}

function time(at: number): string {
  return new Date(at).toISOString();
}
