import type { CloudEvent } from '@residency/cloudevents';
import type { ConsentEvent } from '@residency/consent';
import { z } from 'zod';
import { ContractError } from './contract-error.ts';

export const CONSENT_GRANTED = 'consent.granted.v1';
export const CONSENT_WITHDRAWN = 'consent.withdrawn.v1';
/** Moves an idle log's watermark; carries nothing. */
export const CONSENT_TICK = 'consent.tick.v1';
/** The link from a consent id to a person, on a topic of its own so that it alone can be erased. */
export const SUBJECT_LINKED = 'subject.linked.v1';

const consentId = z.string().regex(/^[A-Za-z0-9_-]{8,128}$/, 'not 8 to 128 of A-Z a-z 0-9 _ -');
const granted = z.strictObject({
  consentId,
  purposes: z.array(z.string().min(1).max(128)).min(1).max(16),
  termsVersion: z.string().min(1).max(128),
  termsSha256: z
    .string()
    .regex(/^[0-9a-f]{64}$/)
    .optional(),
});
const withdrawn = z.strictObject({ consentId });
const linked = z.strictObject({ consentId, subject: z.string().min(1).max(1024) });

export interface SubjectLink {
  readonly consentId: string;
  readonly subject: string;
}

/** Reads `consent.granted.v1` or `consent.withdrawn.v1`; anything else throws `INVALID_CONSENT_EVENT`. */
export function readConsentEvent(event: CloudEvent): ConsentEvent {
  switch (event.type) {
    case CONSENT_GRANTED: {
      const { termsSha256, ...data } = read(granted, event);
      return { kind: 'granted', ...data, ...(termsSha256 === undefined ? {} : { termsSha256 }) };
    }
    case CONSENT_WITHDRAWN:
      return { kind: 'withdrawn', ...read(withdrawn, event) };
    default:
      throw invalid(`type: expected ${CONSENT_GRANTED} or ${CONSENT_WITHDRAWN}`);
  }
}

/** Reads `subject.linked.v1`; anything else throws `INVALID_CONSENT_EVENT`. */
export function readSubjectLink(event: CloudEvent): SubjectLink {
  if (event.type !== SUBJECT_LINKED) throw invalid(`type: expected ${SUBJECT_LINKED}`);
  return read(linked, event);
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
    value = JSON.parse((event.data ?? Buffer.alloc(0)).toString('utf8'));
  } catch {
    throw invalid('data: not JSON');
  }
  const parsed = schema.safeParse(value);
  // Issue messages would repeat unrecognised names, which may be personal: only paths and our own words go out.
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
