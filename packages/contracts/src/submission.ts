import type { AttributeValue, CloudEvent } from '@residency/cloudevents';
import { z } from 'zod';
import { defined } from '@residency/defined';
import { submissionId } from './digest.ts';
import { ATTRIBUTE_BYTES, IDENTITY_BYTES } from './limits.ts';
import type { QuarantineReason } from './reasons.ts';
import { SUBMITTED, VERDICTS } from './vocabulary.ts';
import type { Verdict } from './vocabulary.ts';

/**
 * A submission whose attributes passed their checks. Size, consent, country and digest are checked
 * later, in the order of DESIGN §3.
 */
export interface Submission {
  readonly submission: string;
  readonly consentId: string;
  /** As sent, 1 to 256 bytes. The policy decides whether it is a country. */
  readonly userCountry: string;
  readonly verdict: Verdict;
  /** The digest that the publisher announced. It is compared with the bytes. */
  readonly sampleSha256?: string;
  readonly traceparent?: string;
  readonly sample: Buffer;
}

export interface Rejection {
  readonly reason: QuarantineReason;
  /** Names attributes and limits, never a value, because the publisher controls the values. */
  readonly detail: string;
  /** Present if the envelope could be read. */
  readonly submission?: string;
}

export const submissionAttributes = z.object({
  usercountry: z.string('missing, or not a string').min(1, 'empty'),
  consentid: z
    .string('missing, or not a string')
    .regex(/^[A-Za-z0-9_-]{8,128}$/, 'not 8 to 128 of A-Z a-z 0-9 _ -'),
  verdict: z.enum(VERDICTS, `not one of ${VERDICTS.join(', ')}`),
  samplesha256: z
    .string('not a string')
    .regex(/^[0-9a-f]{64}$/, 'not 64 lower-case hex digits')
    .optional(),
  partitionkey: z.string('not a string').min(1, 'empty').optional(),
});

// W3C Trace Context §3.2.2, version 00; all-zero ids are invalid.
export const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

// CloudEvents dataclassification extensions: a consumer that meets a value it does not know must
// reject and report. This system knows none, so any value is unknown.
export const CLASSIFICATIONS = ['dataclassification', 'dataregulation', 'datacategory'] as const;

/** Checks type and attributes in DESIGN §3's order; never throws. */
export function readSubmission(event: CloudEvent): Submission | Rejection {
  const oversized = oversizedAttribute(event);
  const nameless = oversized === 'source' || oversized === 'id';
  const submission = submissionId(event);
  if (event.type !== SUBMITTED)
    return {
      reason: 'UNKNOWN_TYPE',
      detail: `type: not ${SUBMITTED}`,
      ...(nameless ? {} : { submission }),
    };
  if (nameless)
    return { reason: 'INVALID_ATTRIBUTE', detail: `${oversized}: over ${IDENTITY_BYTES} bytes` };
  if (oversized !== undefined) {
    return {
      reason: 'INVALID_ATTRIBUTE',
      detail: `${oversized}: over ${ATTRIBUTE_BYTES} bytes`,
      submission,
    };
  }
  const parsed = submissionAttributes.safeParse(event.extensions);
  if (!parsed.success) {
    const detail = parsed.error.issues
      .map((issue) => `${issue.path.join('.')}: ${issue.message}`)
      .join('; ');
    return { reason: 'INVALID_ATTRIBUTE', detail, submission };
  }
  const classified = CLASSIFICATIONS.filter((name) => event.extensions[name] !== undefined);
  if (classified.length > 0) {
    return {
      reason: 'CLASSIFICATION_UNKNOWN',
      detail: `${classified.join(', ')}: a value this system does not know`,
      submission,
    };
  }
  const { traceparent } = event.extensions;
  return {
    submission,
    consentId: parsed.data.consentid,
    userCountry: parsed.data.usercountry,
    verdict: parsed.data.verdict,
    ...defined({ sampleSha256: parsed.data.samplesha256 }),
    ...(typeof traceparent === 'string' && TRACEPARENT.test(traceparent) ? { traceparent } : {}),
    sample: event.data ?? Buffer.alloc(0),
  };
}

/**
 * The name of the first attribute over its limit. Unknown extensions count too, because they take
 * memory all the same.
 */
function oversizedAttribute(event: CloudEvent): string | undefined {
  const { specversion: _, data: __, extensions, source, id, ...optional } = event;
  if (utf8(source) > IDENTITY_BYTES) return 'source';
  if (utf8(id) > IDENTITY_BYTES) return 'id';
  const over = Object.entries({ ...optional, ...extensions }).find(
    ([, value]) => utf8(value) > ATTRIBUTE_BYTES,
  );
  if (over === undefined) return undefined;
  return KNOWN.has(over[0]) ? over[0] : 'an attribute';
}

// Extension names come from the publisher, so only known names are repeated in a detail.
const KNOWN = new Set<string>([
  'type',
  'datacontenttype',
  'dataschema',
  'subject',
  'time',
  'traceparent',
  ...Object.keys(submissionAttributes.shape),
  ...CLASSIFICATIONS,
]);

function utf8(value: AttributeValue): number {
  return Buffer.byteLength(String(value), 'utf8');
}
