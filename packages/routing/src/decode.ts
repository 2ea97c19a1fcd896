import { decodeKafka } from '@residency/cloudevents';
import type { CloudEvent } from '@residency/cloudevents';
import { hasCode, remedyOf } from '@residency/coded-error';
import { REDRIVE_HEADER, parsePosition, readSubmission } from '@residency/contracts';
import type { Limits, LogRecord, Submission } from '@residency/contracts';
import type { Finding } from './finding.ts';

/** A record and what could be read of it: a submission to judge, or already a finding. */
export interface Decoded {
  readonly record: LogRecord;
  readonly redriveOf?: string;
  readonly traceparent?: string;
  readonly read: { readonly submission: Submission } | { readonly finding: Finding };
}

/** Envelope, attributes, size, in that order. Publishers control every byte; nothing they send makes this throw. */
export function decode(record: LogRecord, limits: Limits): Decoded {
  const redriveOf = redriven(record);
  const base = { record, ...(redriveOf === undefined ? {} : { redriveOf }) };
  let event: CloudEvent;
  try {
    event = decodeKafka(record);
  } catch (error) {
    if (remedyOf(error) !== 'park') throw error;
    return {
      ...base,
      read: {
        finding: quarantined(
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
      read: { finding: quarantined(reason, detail, id === undefined ? {} : { submission: id }) },
    };
  }
  const { traceparent } = submission;
  const sized = { ...base, ...(traceparent === undefined ? {} : { traceparent }) };
  const misfit = sizeFinding(record, submission, limits);
  return { ...sized, read: misfit === undefined ? { submission } : { finding: misfit } };
}

function sizeFinding(
  record: LogRecord,
  { submission, verdict, consentId, sample }: Submission,
  limits: Limits,
): Finding | undefined {
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

/** A header that is no position was not set by a redrive: it is ignored like any unknown header. */
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

type Quarantined = Extract<Finding, { outcome: 'quarantined' }>;

export function quarantined(
  reason: Quarantined['data']['reason'],
  detail: string,
  passed: Omit<Quarantined['data'], 'reason'>,
): Quarantined {
  return { outcome: 'quarantined', data: { reason, ...passed }, detail };
}
