import { defined } from '@residency/defined';
import { canonicalWriter } from '@residency/residency';
import type { Shape } from '@residency/residency';
import { z } from 'zod';
import { ContractError } from './contract-error.ts';
import { checked, eventIn, eventJson } from './event-bytes.ts';
import { erasureAct, hex64, position } from './fields.ts';
import { AUDIT_EVENT_BYTES } from './limits.ts';
import { formatPosition, parsePosition } from './position.ts';
import type { Position } from './position.ts';
import { QUARANTINE_REASONS, REFUSAL_REASONS } from './reasons.ts';
import { VERDICTS } from './vocabulary.ts';

const offset = z.string().regex(/^(0|[1-9]\d{0,18})$/);
const country = z.string().regex(/^[A-Z]{2}$/);
const verdict = z.enum(VERDICTS);
const consentId = z.string();
const decision = z.strictObject({
  region: z.string(),
  rule: z.string(),
  policy: z.strictObject({ id: z.string(), version: z.int(), digest: hex64 }),
});
const object = {
  site: z.string(),
  key: z.string(),
  sealedSha256: hex64,
  sealedBytes: z.int().positive(),
  wrappingKey: z.string(),
  versionId: z.string().optional(),
};
/** An object in a site, without the record that it was adopted from. */
export const placedObject = z.strictObject(object);
const placement = z.strictObject({
  ...object,
  /**
   * Present: the object was adopted from another record. Its metadata and its sealed message name
   * this position and policy.
   */
  adopted: z.strictObject({ position, policyDigest: hex64 }).optional(),
});
/**
 * In every event. `previous`: the offset that was settled before it in the partition; `null`: it is
 * the partition's first.
 */
const common = { previous: offset.nullable(), redriveOf: position.optional() };
const judged = {
  ...common,
  submission: hex64,
  sampleSha256: hex64,
  sampleBytes: z.int().positive(),
  verdict,
  country,
  consentId,
  termsVersion: z.string(),
  decision,
};

/** The data of each outcome. */
export const auditData = {
  // `owed`: sites of the region that have no copy yet. A custodian makes these copies.
  stored: z.strictObject({
    ...judged,
    placements: z.array(placement).min(1),
    owed: z.array(z.string()).min(1).optional(),
    // The number of changes of the region's arbiter; absent: none.
    arbiter: z.int().positive().optional(),
  }),
  // `placements`: copies that it made before it found the record whose duplicate it is.
  duplicate: z.strictObject({
    ...judged,
    of: position,
    placements: z.array(placement).min(1).optional(),
  }),
  refused: z
    .strictObject({
      ...common,
      submission: hex64,
      sampleBytes: z.int().positive(),
      verdict,
      consentId,
      reason: z.enum(REFUSAL_REASONS),
      // Only of `ERASED`: the order, and the region in which the identity was erased.
      erasure: z.strictObject({ order: erasureAct, region: z.string() }).optional(),
    })
    .refine(
      ({ reason, erasure }) => (reason === 'ERASED') === (erasure !== undefined),
      'erasure is a member of ERASED',
    ),
  // Only values that passed their checks before the failed one.
  quarantined: z
    .strictObject({
      ...common,
      reason: z.enum(QUARANTINE_REASONS),
      submission: hex64.optional(),
      verdict: verdict.optional(),
      consentId: consentId.optional(),
      sampleBytes: z.int().positive().optional(),
      termsVersion: z.string().optional(),
      country: country.optional(),
      decision: decision.optional(),
      sampleSha256: hex64.optional(),
      // Of a conflict: the record that owns the identity, and what it has under it.
      of: position.optional(),
      owner: z.strictObject({ sampleSha256: hex64, country }).optional(),
    })
    .refine(
      namesWhole,
      'of and owner are members of an IDENTITY_CONFLICT, with all that it judged',
    ),
};

/** What an event that names an owner must have too. */
export const NAMED_WITH = ['submission', 'country', 'decision', 'sampleSha256'] as const;

function namesWhole(
  data: Readonly<Partial<Record<(typeof NAMED_WITH)[number] | 'of' | 'owner', unknown>>> & {
    readonly reason: string;
  },
): boolean {
  if (data.of === undefined && data.owner === undefined) return true;
  return (
    data.reason === 'IDENTITY_CONFLICT' &&
    [...NAMED_WITH, 'of' as const, 'owner' as const].every((name) => data[name] !== undefined)
  );
}

const judgement = z.discriminatedUnion('outcome', [
  z.strictObject({ outcome: z.literal('stored'), data: auditData.stored }),
  z.strictObject({ outcome: z.literal('duplicate'), data: auditData.duplicate }),
  z.strictObject({ outcome: z.literal('refused'), data: auditData.refused }),
  z.strictObject({ outcome: z.literal('quarantined'), data: auditData.quarantined }),
]);

export type StoredData = z.infer<typeof auditData.stored>;
export type DuplicateData = z.infer<typeof auditData.duplicate>;
export type RefusedData = z.infer<typeof auditData.refused>;
export type QuarantinedData = z.infer<typeof auditData.quarantined>;
export type Placement = z.infer<typeof placement>;
export type RecordedDecision = z.infer<typeof decision>;

/**
 * The outcome of one intake record. `at`: the record's append time T. `position`: the record's
 * position in the log.
 */
export type AuditEvent = {
  readonly position: Position;
  readonly at: number;
  readonly traceparent?: string;
} & (
  | { readonly outcome: 'stored'; readonly data: StoredData }
  | { readonly outcome: 'duplicate'; readonly data: DuplicateData }
  | { readonly outcome: 'refused'; readonly data: RefusedData }
  | { readonly outcome: 'quarantined'; readonly data: QuarantinedData }
);

/** The event of a sample that was placed in its region. */
export type StoredEvent = Extract<AuditEvent, { readonly outcome: 'stored' }>;

export function isStoredIn(region: string, event: AuditEvent | undefined): event is StoredEvent {
  return event?.outcome === 'stored' && event.data.decision.region === region;
}

const TYPE = /^residency\.sample\.(stored|duplicate|refused|quarantined)\.v1$/;
export const auditEnvelope = z.strictObject({
  specversion: z.literal('1.0'),
  id: position,
  source: z.string(),
  type: z.string().regex(TYPE),
  time: z.iso.datetime({ precision: 3 }),
  datacontenttype: z.literal('application/json'),
  sequence: z.string().regex(/^\d{20}$/),
  causationid: hex64.optional(),
  traceparent: z.string().length(55).optional(),
  data: z.unknown(),
});

const writerOf = (data: z.ZodObject): ((event: object) => string) =>
  canonicalWriter({ ...shapeOf(auditEnvelope), data: shapeOf(data) });
const WRITERS = {
  stored: writerOf(auditData.stored),
  duplicate: writerOf(auditData.duplicate),
  refused: writerOf(auditData.refused),
  quarantined: writerOf(auditData.quarantined),
};

function shapeOf(schema: z.ZodObject): Shape {
  return Object.fromEntries(
    Object.entries(schema.shape).map(([name, member]) => [name, kindOf(member)]),
  );
}

function kindOf(member: unknown): Shape[string] {
  if (member instanceof z.ZodOptional) return kindOf(member.unwrap());
  if (member instanceof z.ZodObject) return shapeOf(member);
  return member instanceof z.ZodArray && member.element instanceof z.ZodObject
    ? [shapeOf(member.element)]
    : true;
}

/**
 * A structured-mode JSON CloudEvent (docs/formats/audit-event.md), RFC 8785 form, so that the same
 * event is the same bytes wherever it is made; throws `AUDIT_EVENT_TOO_LARGE` beyond 16 KiB.
 */
export function encodeAuditEvent(event: AuditEvent): Buffer {
  const { log, topic, partition, offset: at } = event.position;
  const json = WRITERS[event.outcome]({
    specversion: '1.0',
    id: formatPosition(event.position),
    source: `/residency/${log}/${topic}/${partition}`,
    type: `residency.sample.${event.outcome}.v1`,
    time: new Date(event.at).toISOString(),
    datacontenttype: 'application/json',
    sequence: at.toString().padStart(20, '0'),
    causationid: event.data.submission,
    traceparent: event.traceparent,
    data: event.data,
  });
  const bytes = Buffer.from(json, 'utf8');
  if (bytes.length > AUDIT_EVENT_BYTES) {
    throw new ContractError({
      code: 'AUDIT_EVENT_TOO_LARGE',
      message: `Expected an audit event of at most ${AUDIT_EVENT_BYTES} bytes, found ${bytes.length} at ${formatPosition(event.position)}.`,
      remedy: 'stop',
    });
  }
  return bytes;
}

/** The inverse of `encodeAuditEvent`; throws `INVALID_AUDIT_EVENT`. */
export function decodeAuditEvent(bytes: Uint8Array): AuditEvent {
  const outer = checked(auditEnvelope, eventJson(bytes, invalid), invalid);
  const at = parsePosition(outer.id);
  const inner = checked(
    judgement,
    { outcome: TYPE.exec(outer.type)?.[1], data: outer.data },
    invalid,
  );
  const consistent =
    outer.source === `/residency/${at.log}/${at.topic}/${at.partition}` &&
    BigInt(outer.sequence) === at.offset &&
    outer.causationid === inner.data.submission;
  if (!consistent) throw invalid('source, sequence and causationid do not agree with id and data');
  const { traceparent, time } = outer;
  return {
    position: at,
    at: Date.parse(time),
    ...defined({ traceparent }),
    ...inner,
  };
}

/**
 * Like `decodeAuditEvent`. `undefined`: the value is missing, or not an audit event. Everybody with
 * write access to the audit log controls it; readers pass over it, and the auditor reports it.
 */
export function auditEventIn(value: Uint8Array | null | undefined): AuditEvent | undefined {
  return eventIn(value, decodeAuditEvent);
}

function invalid(what: string, cause?: unknown): ContractError {
  return new ContractError({
    code: 'INVALID_AUDIT_EVENT',
    message: `Expected an audit event as in docs/formats/audit-event.md; wrong: ${what}.`,
    remedy: 'stop',
    cause,
  });
}
