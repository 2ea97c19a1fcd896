import { decodeKafka } from '@residency/cloudevents';
import type { CloudEvent } from '@residency/cloudevents';
import { hasCode, remedyOf } from '@residency/coded-error';
import { REDRIVE_HEADER, parsePosition, readSubmission } from '@residency/contracts';
import type { Limits, LogRecord, Submission } from '@residency/contracts';
import { defined } from '@residency/defined';
import type { RecordResult } from './record-result.ts';

/** A record with the result of decoding it: a submission to judge, or already an outcome. */
export interface Decoded {
  readonly record: LogRecord;
  readonly redriveOf?: string;
  readonly traceparent?: string;
  readonly read: { readonly submission: Submission } | { readonly result: RecordResult };
}

/**
 * Checks envelope, attributes and size, in that order. Publishers control every byte; no input
 * makes this throw.
 */
export function decode(record: LogRecord, limits: Limits): Decoded {
  const redriveOf = redriven(record);
  const base = { record, ...defined({ redriveOf }) };
  let event: CloudEvent;
  try {
    event = decodeKafka(record);
  } catch (error) {
    if (remedyOf(error) !== 'park') throw error;
    return {
      ...base,
      read: {
        result: quarantined(
          'UNDECODABLE',
          error instanceof Error ? error.message : 'not a CloudEvent',
          {},
        ),
      },
    };
  }
  const submission = readSubmission(event);
  if ('reason' in submission) {
    const { reason, detail, submission: id } = submission;
    return {
      ...base,
      read: { result: quarantined(reason, detail, defined({ submission: id })) },
    };
  }
  const { traceparent } = submission;
  const sized = { ...base, ...defined({ traceparent }) };
  const misfit = sizeFinding(record, submission, limits);
  return { ...sized, read: misfit === undefined ? { submission } : { result: misfit } };
}

function sizeFinding(
  record: LogRecord,
  { submission, verdict, consentId, sample }: Submission,
  limits: Limits,
): RecordResult | undefined {
  const passed = { submission, verdict, consentId };
  if (sample.length > limits.sampleBytes)
    return quarantined('TOO_LARGE', `sample: over ${limits.sampleBytes} bytes`, passed);
  if (recordBytes(record) > limits.recordBytes)
    return quarantined('TOO_LARGE', `record: over ${limits.recordBytes} bytes`, passed);
  if (sample.length === 0) return quarantined('EMPTY_SAMPLE', 'sample: no bytes', passed);
  return undefined;
}

function recordBytes({ key, headers, value }: LogRecord): number {
  return headers.reduce(
    (sum, [name, content]) => sum + Buffer.byteLength(name) + content.length,
    (key?.length ?? 0) + (value?.length ?? 0),
  );
}

/**
 * A header that is not a position was not set by a redrive. It is ignored, like any unknown header.
 */
function redriven(record: LogRecord): string | undefined {
  const text = record.headers.find(([name]) => name === REDRIVE_HEADER)?.[1].toString('utf8');
  if (text === undefined) return undefined;
  try {
    parsePosition(text);
    return text;
  } catch (error) {
    if (hasCode(error, 'INVALID_POSITION')) return undefined;
    throw error;
  }
}

type Quarantined = Extract<RecordResult, { outcome: 'quarantined' }>;

export function quarantined(
  reason: Quarantined['data']['reason'],
  detail: string,
  passed: Omit<Quarantined['data'], 'reason'>,
): Quarantined {
  return { outcome: 'quarantined', data: { reason, ...passed }, detail };
}
