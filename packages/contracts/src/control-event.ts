import { decodeKafka, encodeKafkaStructured } from '@residency/cloudevents';
import type { CloudEvent } from '@residency/cloudevents';
import { defined } from '@residency/defined';
import { readJson } from '@residency/residency';
import { z } from 'zod';
import { ContractError } from './contract-error.ts';
import { consentId, erasureAct, hex64, instant, position, region } from './fields.ts';
import type { LogEntry } from './log-entry.ts';
import { TOPICS } from './log-record.ts';
import type { LogRecord } from './log-record.ts';
import { requireSalt, withSalt } from './salted.ts';
import {
  ACT_FAILED,
  ARBITER_CHANGED,
  ARBITER_CLAIMS,
  ARBITER_CLOSING,
  ARBITER_KEPT,
  AUDIT_RESTORE_BEGUN,
  CLAIMS_IN_EVENT,
  CLOCK_ACCEPTED,
  CONTROL_LOG_LEVELS,
  ERASURE_ORDERED,
  CONTROL_PRINCIPAL,
  EXPORTED,
  EXPORT_BEGUN,
  EXPORT_FORMATS,
  CLAIMS_ENDED,
  HOLD_LIFTED,
  HOLD_PLACED,
  INTAKE_DRAINING,
  KEY_ADD_BEGUN,
  KEY_RETIRE_BEGUN,
  LEDGER_KEY_CHANGES,
  LEDGER_KEY_CHANGE_BEGUN,
  LOG_LEVEL_SET,
  LOSS_ACCEPTED,
  LOST_OF_LEDGER,
  NAMED_IN_ORDER,
  NEW_LEDGER_BEGUN,
  OPEN_BEGUN,
  PUBLICATION_BEGUN,
  QUARANTINE_CLOSED,
  RECONCILE_OPEN_BEGUN,
  RECORD_SET_ASIDE,
  REDRIVE_BEGUN,
  ROUTING_PAUSED,
  ROUTING_RESUMED,
  SITE_IN,
  SITE_OUT,
  SITE_REPAIR_ORDERED,
  SITE_RETIRED,
  TOPIC_ACCEPTED,
} from './vocabulary.ts';

const asked = {
  export: z.string().min(1).max(64),
  from: instant,
  to: instant,
  format: z.enum(EXPORT_FORMATS),
  /** The region whose custody log was exported; absent: the audit log. */
  custody: region.optional(),
};
// U+FFFD replaces bytes that were not UTF-8.
const reason = z.string().regex(/^[^\p{C}\ufffd]{1,200}$/u);
const act = z.string().min(1).max(64);
const name = z.string().regex(/^[^\p{C}\s]{1,128}$/u);
const code = z.string().regex(/^[A-Z][A-Z0-9_]{0,63}$/);
/** The position of a record of the intake log. */
const samplePosition = position.regex(/^[^/]+\/threat\.samples\//, 'no position of the intake log');
const claim = z.strictObject({
  submission: hex64,
  of: samplePosition,
  sampleSha256: hex64,
  country: z.string().regex(/^[A-Z]{2}$/),
});
const submissions = z.array(hex64).min(1).max(NAMED_IN_ORDER);
const custodyLog = z.templateLiteral(['residency.custody.', region]);
const topicId = z.string().regex(/^[A-Za-z0-9_-]{22}$/);
export const controlData = {
  [EXPORT_BEGUN]: z.strictObject(asked),
  [EXPORTED]: z.strictObject({
    ...asked,
    events: z.int().nonnegative(),
    digest: hex64,
    complete: z.boolean(),
  }),
  [ROUTING_PAUSED]: z.strictObject({ reason }),
  [INTAKE_DRAINING]: z.strictObject({ reason }),
  [ROUTING_RESUMED]: z.strictObject({}),
  [RECORD_SET_ASIDE]: z.strictObject({
    position: samplePosition,
    reason,
  }),
  // `around`: the vault did not give the sample out. Absent in the first events of this type.
  [OPEN_BEGUN]: z.strictObject({
    act,
    submission: hex64,
    region: name,
    around: z.literal('vault').optional(),
  }),
  [RECONCILE_OPEN_BEGUN]: z.strictObject({ act, regions: z.array(name) }),
  [KEY_ADD_BEGUN]: z.strictObject({ act, region: name, key: name }),
  [KEY_RETIRE_BEGUN]: z.strictObject({ act, key: name }),
  [PUBLICATION_BEGUN]: z.strictObject({
    act,
    id: name,
    version: z.int().positive(),
    digest: hex64,
  }),
  [REDRIVE_BEGUN]: z.strictObject({ act, records: z.int().positive(), reason: code.optional() }),
  [LEDGER_KEY_CHANGE_BEGUN]: z.strictObject({ act, change: z.enum(LEDGER_KEY_CHANGES) }),
  [AUDIT_RESTORE_BEGUN]: z.strictObject({ act, entries: z.int().nonnegative() }),
  [NEW_LEDGER_BEGUN]: z.strictObject({ act, lost: z.enum(LOST_OF_LEDGER) }),
  [ACT_FAILED]: z.strictObject({ act, code }),
  [TOPIC_ACCEPTED]: z.strictObject({
    topic: z.union([z.enum(Object.values(TOPICS)), custodyLog]),
    was: topicId,
    is: topicId,
    reason,
  }),
  [QUARANTINE_CLOSED]: z.strictObject({
    position: samplePosition,
    reason,
  }),
  [SITE_REPAIR_ORDERED]: z.strictObject({
    act,
    region: name,
    site: name,
    perSecond: z.int().min(1).max(1_000_000).optional(),
  }),
  // Exactly one of `submissions` and `consents`. Of a consent: records appended before `before`.
  [ERASURE_ORDERED]: z
    .strictObject({
      act: erasureAct,
      reason,
      // Absent: in every region.
      region: region.optional(),
      submissions: submissions.optional(),
      consents: z
        .array(z.strictObject({ consentId, before: instant }))
        .min(1)
        .max(NAMED_IN_ORDER)
        .optional(),
    })
    .refine(namesOneKind, 'exactly one of submissions and consents'),
  [HOLD_PLACED]: z
    .strictObject({
      act: erasureAct,
      reason,
      submissions: submissions.optional(),
      consents: z.array(consentId).min(1).max(NAMED_IN_ORDER).optional(),
    })
    .refine(namesOneKind, 'exactly one of submissions and consents'),
  // `hold`: the act that placed it.
  [HOLD_LIFTED]: z.strictObject({ act: erasureAct, hold: erasureAct, reason }),
  [LOSS_ACCEPTED]: z.strictObject({ act: erasureAct, reason, region, submissions }),
  // `owners`: positions of lost samples whose claims end.
  [CLAIMS_ENDED]: z.strictObject({
    act,
    region: name,
    owners: z.array(samplePosition).min(1).max(CLAIMS_IN_EVENT),
  }),
  [ARBITER_CLOSING]: z.strictObject({ act, region: name, site: name, next: name, reason }),
  [ARBITER_CLAIMS]: z.strictObject({
    act,
    region: name,
    attempt: act,
    claims: z.array(claim).min(1).max(CLAIMS_IN_EVENT),
  }),
  // `claims`: of the attempt, in all its events. `unheld`: stored samples that no serving site has.
  [ARBITER_CHANGED]: z.strictObject({
    act,
    region: name,
    next: name,
    attempt: act,
    claims: z.int().nonnegative(),
    unheld: z.int().nonnegative(),
  }),
  [ARBITER_KEPT]: z.strictObject({ act, region: name, reason }),
  [SITE_OUT]: z.strictObject({ act, region: name, site: name, reason }),
  [SITE_IN]: z.strictObject({ act, region: name, site: name }),
  // `samples`: stored samples that had a copy there, each of which has another one that was read.
  [SITE_RETIRED]: z.strictObject({
    act,
    region: name,
    site: name,
    reason,
    samples: z.int().nonnegative(),
  }),
  [CLOCK_ACCEPTED]: z.strictObject({ clock: instant, lastAppend: instant }),
  [LOG_LEVEL_SET]: z.strictObject({
    service: z.string().regex(/^[a-z][a-z-]{0,63}$/),
    level: z.enum(CONTROL_LOG_LEVELS),
  }),
};
type ControlType = keyof typeof controlData;

/**
 * `export` is the id of an export, `act` of another act; both events of one have it. `digest`: the
 * replay digest of the exported events. `service`: a service's name, or `all`. `principal`: who
 * acted, if known; 1 to 128 characters without control characters.
 */
export type ControlEvent = {
  readonly [Type in ControlType]: {
    readonly type: Type;
    readonly principal?: string;
    readonly data: Readonly<z.infer<(typeof controlData)[Type]>>;
  };
}[ControlType];

/**
 * The event's id is its record key, so that compaction keeps every event. `salt`: 16 random bytes
 * in hex. Throws `INVALID_CONTROL_EVENT` if the result could not be read back.
 */
export function controlEntry(
  { type, principal, data }: ControlEvent,
  id: string,
  salt: string,
): LogEntry {
  if (
    !controlData[type].safeParse(data).success ||
    (principal !== undefined && !CONTROL_PRINCIPAL.test(principal))
  )
    throw invalid();
  const extensions: CloudEvent['extensions'] =
    principal === undefined ? {} : { authtype: 'user', authid: principal };
  const event = {
    specversion: '1.0',
    id,
    source: '/residency/control',
    type,
    datacontenttype: 'application/json',
    extensions,
    data: Buffer.from(JSON.stringify(data)),
  } as const;
  return {
    topic: TOPICS.control,
    record: { key: Buffer.from(id), ...encodeKafkaStructured(withSalt(event, salt)) },
  };
}

/**
 * The inverse. Throws `INVALID_CONTROL_EVENT` (park). Everybody with write access to the control
 * log controls the input.
 */
export function readControlRecord({
  headers,
  value,
}: Pick<LogRecord, 'headers' | 'value'>): ControlEvent {
  try {
    const event = decodeKafka({ headers, value });
    requireSalt(event);
    const {
      type,
      data,
      extensions: { authid: principal },
    } = event;
    const json = readJson(data ?? Buffer.alloc(0));
    if (
      isControlType(type) &&
      (principal === undefined ||
        (typeof principal === 'string' && CONTROL_PRINCIPAL.test(principal)))
    ) {
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the schema of that type
      return {
        type,
        ...defined({ principal }),
        data: controlData[type].parse(json),
      } as ControlEvent;
    }
  } catch (cause) {
    throw invalid(cause);
  }
  throw invalid();
}

/** Like `readControlRecord`. `undefined`: the record is no control event. */
export function controlEventIn(
  record: Pick<LogRecord, 'headers' | 'value'>,
): ControlEvent | undefined {
  try {
    return readControlRecord(record);
  } catch {
    return undefined;
  }
}

function namesOneKind(data: {
  readonly submissions?: unknown;
  readonly consents?: unknown;
}): boolean {
  return (data.submissions === undefined) !== (data.consents === undefined);
}

function isControlType(type: string): type is ControlType {
  return Object.hasOwn(controlData, type);
}

function invalid(cause?: unknown): ContractError {
  return new ContractError({
    code: 'INVALID_CONTROL_EVENT',
    message:
      'Expected a control event as in docs/formats/control.md, found something else; see who may write to the control log.',
    remedy: 'park',
    cause,
  });
}
