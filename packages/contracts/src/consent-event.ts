import type { CloudEvent } from '@residency/cloudevents';
import type { ConsentEvent } from '@residency/consent';
import { defined } from '@residency/defined';
import { JsonError, readJson } from '@residency/residency';
import { z } from 'zod';
import { ContractError } from './contract-error.ts';
import { consentId, hex64 } from './fields.ts';
import { CONSENT_GRANTED, CONSENT_WITHDRAWN, SUBJECT_LINKED } from './vocabulary.ts';

export const consentGranted = z.strictObject({
  consentId,
  purposes: z.array(z.string().min(1).max(128)).min(1).max(16),
  termsVersion: z.string().min(1).max(128),
  termsSha256: hex64.optional(),
});
export const consentWithdrawn = z.strictObject({ consentId });
export const subjectLinked = z.strictObject({ consentId, subject: z.string().min(1).max(1024) });

export interface SubjectLink {
  readonly consentId: string;
  readonly subject: string;
}

/**
 * Reads `consent.granted.v1` or `consent.withdrawn.v1`; anything else throws
 * `INVALID_CONSENT_EVENT`.
 */
export function readConsentEvent(event: CloudEvent): ConsentEvent {
  switch (event.type) {
    case CONSENT_GRANTED: {
      const { termsSha256, ...data } = read(consentGranted, event);
      return { kind: 'granted', ...data, ...defined({ termsSha256 }) };
    }
    case CONSENT_WITHDRAWN:
      return { kind: 'withdrawn', ...read(consentWithdrawn, event) };
    default:
      throw invalid(`type: expected ${CONSENT_GRANTED} or ${CONSENT_WITHDRAWN}`);
  }
}

/** Reads `subject.linked.v1`; anything else throws `INVALID_CONSENT_EVENT`. */
export function readSubjectLink(event: CloudEvent): SubjectLink {
  if (event.type !== SUBJECT_LINKED) throw invalid(`type: expected ${SUBJECT_LINKED}`);
  return read(subjectLinked, event);
}

/** The inverse of `readConsentEvent`. */
export function consentCloudEvent(
  event: ConsentEvent,
  envelope: { readonly id: string; readonly source: string },
): CloudEvent {
  const { kind, ...data } = event;
  return jsonEvent(kind === 'granted' ? CONSENT_GRANTED : CONSENT_WITHDRAWN, data, envelope);
}

/** The inverse of `readSubjectLink`. */
export function subjectLinkCloudEvent(
  link: SubjectLink,
  envelope: { readonly id: string; readonly source: string },
): CloudEvent {
  return jsonEvent(SUBJECT_LINKED, link, envelope);
}

function jsonEvent(
  type: string,
  data: object,
  { id, source }: { readonly id: string; readonly source: string },
): CloudEvent {
  return {
    specversion: '1.0',
    id,
    source,
    type,
    datacontenttype: 'application/json',
    extensions: {},
    data: Buffer.from(JSON.stringify(data)),
  };
}

function read<T>(schema: z.ZodType<T>, event: CloudEvent): T {
  let value: unknown;
  try {
    value = readJson(event.data ?? Buffer.alloc(0));
  } catch (error) {
    throw invalid(
      `data: not JSON with one meaning, found ${error instanceof JsonError ? error.problem : 'something else'}`,
    );
  }
  const parsed = schema.safeParse(value);
  // Issue messages would repeat unrecognised names, which may be personal, so only paths and
  // constant words are used.
  if (!parsed.success)
    throw invalid(
      parsed.error.issues
        .map(
          (issue) => `data${issue.path.map((part) => `.${String(part)}`).join('')}: ${issue.code}`,
        )
        .join('; '),
    );
  return parsed.data;
}

function invalid(what: string): ContractError {
  return new ContractError({
    code: 'INVALID_CONSENT_EVENT',
    message: `Expected a consent event as in docs/formats/consent.md; ${what}.`,
    remedy: 'park',
  });
}
