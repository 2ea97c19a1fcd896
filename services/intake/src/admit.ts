import { randomBytes } from 'node:crypto';
import type { CloudEvent } from '@residency/cloudevents';
import { CodedError } from '@residency/coded-error';
import {
  CONSENT_GRANTED,
  CONSENT_WITHDRAWN,
  IDENTITY_BYTES,
  SUBJECT_LINKED,
  SUBMITTED,
  consentEntry,
  subjectLinkEntry,
  submissionEntry,
} from '@residency/contracts';
import type { Limits, LogEntry } from '@residency/contracts';
import { Problem, missingScope } from '@residency/http-server';
import type { Scope } from './scopes.ts';

interface Admission {
  readonly scope: Scope;
  /** Throws a coded error if the event cannot be read or written. */
  readonly entry: (event: CloudEvent) => LogEntry;
}

// The event types that clients may send. Ticks, policies and audit events have their own writers.
const ADMISSIONS: ReadonlyMap<string, Admission> = new Map([
  [SUBMITTED, { scope: 'submissions', entry: submissionEntry }],
  [CONSENT_GRANTED, { scope: 'consents', entry: saltedConsent }],
  [CONSENT_WITHDRAWN, { scope: 'consents', entry: saltedConsent }],
  [SUBJECT_LINKED, { scope: 'consents', entry: subjectLinkEntry }],
]);

function saltedConsent(event: CloudEvent): LogEntry {
  return consentEntry(event, randomBytes(16).toString('hex'));
}

export interface AdmitOptions {
  readonly limits: Pick<Limits, 'sampleBytes' | 'recordBytes'>;
  readonly scopes: ReadonlySet<Scope>;
}

/**
 * The event as a log entry. Throws a `Problem`. Of a submission, only identity, type and sizes are
 * checked here. The router checks country, consent and attributes, so that every record has its
 * outcome in the audit log.
 */
export function admit(event: CloudEvent, { limits, scopes }: AdmitOptions): LogEntry {
  for (const name of ['source', 'id'] as const) {
    if (Buffer.byteLength(event[name]) > IDENTITY_BYTES)
      throw invalidEvent(
        'INVALID_ATTRIBUTE',
        `Expected ${name} to have at most ${IDENTITY_BYTES} bytes; found more. Shorten it and send the event again.`,
      );
  }
  const admission = ADMISSIONS.get(event.type);
  if (admission === undefined)
    throw invalidEvent(
      'UNKNOWN_TYPE',
      `Expected type to be one of ${[...ADMISSIONS.keys()].join(', ')}; found another. Correct it and send the event again.`,
    );
  if (!scopes.has(admission.scope)) throw missingScope(admission.scope);
  if ((event.data?.length ?? 0) > limits.sampleBytes)
    throw tooLarge('SAMPLE_TOO_LARGE', 'sample', limits.sampleBytes);
  const entry = entryOf(event, admission);
  // A structured event's attributes may be long, and some are also in the key.
  if (sizeOf(entry) > limits.recordBytes)
    throw tooLarge('RECORD_TOO_LARGE', 'record (attributes and data)', limits.recordBytes);
  return entry;
}

function entryOf(event: CloudEvent, { entry }: Admission): LogEntry {
  try {
    return entry(event);
  } catch (error) {
    if (error instanceof CodedError) throw invalidEvent(error.code, error.message);
    throw error;
  }
}

function sizeOf({ record: { key, headers, value } }: LogEntry): number {
  return headers.reduce(
    (sum, [name, bytes]) => sum + name.length + bytes.length,
    (key?.length ?? 0) + (value?.length ?? 0),
  );
}

function invalidEvent(code: string, detail: string): Problem {
  return new Problem({ kind: 'invalid-event', code, detail });
}

function tooLarge(code: string, what: string, limit: number): Problem {
  return new Problem({
    kind: 'too-large',
    code,
    detail: `Expected a ${what} of at most ${limit} bytes; found a larger one. It cannot be sent; nothing of this request was kept.`,
  });
}
