import type { AttributeValue, CloudEvent } from '@residency/cloudevents';
import type { ConsentEvent } from '@residency/consent';
import { BASES, CONFIDENCES } from '@residency/residency';
import type { PolicyDocument } from '@residency/residency';
import fc from 'fast-check';
import {
  ACCESS_APPROVED,
  ACCESS_FORMS,
  ACCESS_REFUSALS,
  ACCESS_REFUSED,
  ACCESS_REQUESTED,
  SAMPLE_ACCESSED,
  ORDER_CLOSED,
  QUARANTINE_REASONS,
  REFUSAL_REASONS,
  SAMPLE_COPIED,
  SAMPLE_ERASED,
  SAMPLE_LOST,
  FOUND_OF_LOST,
  LOSS_ACCEPTED,
  LOSS_CLOSED,
  LOSS_REFUSALS,
  LOSS_REFUSED,
  CLAIMS_ENDED,
  SAMPLE_NOT_REPAIRED,
  UNPAID_CODES,
  TOPICS,
  consentCloudEvent,
  consentEntry,
  consentTick,
  controlEntry,
  policyEntry,
  policyTick,
  subjectLinkCloudEvent,
  subjectLinkEntry,
} from '../src/index.ts';
import type {
  AuditEvent,
  ControlEvent,
  CopiedEvent,
  CustodyEvent,
  LogEntry,
  ObjectMetadata,
  QuarantinePointer,
} from '../src/index.ts';
import {
  ACT_FAILED,
  CLOCK_ACCEPTED,
  CONTROL_LOG_LEVELS,
  ERASURE_ORDERED,
  EXPORTED,
  EXPORT_BEGUN,
  EXPORT_FORMATS,
  HOLD_LIFTED,
  HOLD_PLACED,
  INTAKE_DRAINING,
  KEY_ADD_BEGUN,
  KEY_RETIRE_BEGUN,
  LEDGER_KEY_CHANGES,
  LEDGER_KEY_CHANGE_BEGUN,
  LOG_LEVEL_SET,
  LOST_OF_LEDGER,
  AUDIT_RESTORE_BEGUN,
  NEW_LEDGER_BEGUN,
  OPEN_BEGUN,
  PUBLICATION_BEGUN,
  QUARANTINE_CLOSED,
  RECONCILE_OPEN_BEGUN,
  RECORD_SET_ASIDE,
  REDRIVE_BEGUN,
  ROUTING_PAUSED,
  ROUTING_RESUMED,
  SUBMITTED,
  TOPIC_ACCEPTED,
  VERDICTS,
} from '../src/vocabulary.ts';

export const hex64 = fc.stringMatching(/^[0-9a-f]{64}$/);
export const salts = fc.stringMatching(/^[0-9a-f]{32}$/);
export const SALT = 'a5'.repeat(16);
const offset = fc.bigInt({ min: 0n, max: 2n ** 63n - 1n });
export const positions = fc.record({
  log: fc.stringMatching(/^[A-Za-z0-9._-]{1,20}$/),
  topic: fc.constant('threat.samples'),
  partition: fc.nat(2 ** 31 - 1),
  offset,
});
const positionText = positions.map((p) => `${p.log}/${p.topic}/${p.partition}/${p.offset}`);
const word = fc.string({ minLength: 1, maxLength: 30, unit: 'binary' });
const decision = fc.record({
  region: word,
  rule: word,
  policy: fc.record({ id: word, version: fc.nat(), digest: hex64 }),
});
const object = {
  site: word,
  key: word,
  sealedSha256: hex64,
  sealedBytes: fc.integer({ min: 1 }),
  wrappingKey: word,
};
const REQUIRED_OF_OBJECT = ['site', 'key', 'sealedSha256', 'sealedBytes', 'wrappingKey'] as const;
const placement = fc.record(
  {
    ...object,
    versionId: word,
    adopted: fc.record({ position: positionText, policyDigest: hex64 }),
  },
  { requiredKeys: [...REQUIRED_OF_OBJECT] },
);
const common = { previous: fc.option(offset.map(String)) };
const judged = {
  ...common,
  submission: hex64,
  sampleSha256: hex64,
  sampleBytes: fc.integer({ min: 1 }),
  verdict: fc.constantFrom(...VERDICTS),
  country: fc.constant('CH'),
  consentId: fc.constant('consent-0001'),
  termsVersion: word,
  decision,
};
const traced = fc.record(
  {
    position: positions,
    at: fc.integer({ min: 0, max: 4e12 }),
    traceparent: fc.string({ minLength: 55, maxLength: 55, unit: 'grapheme-ascii' }),
  },
  { requiredKeys: ['position', 'at'] },
);

export const storedEvents = fc
  .tuple(
    traced,
    fc.record(
      {
        ...judged,
        placements: fc.array(placement, { minLength: 1, maxLength: 3 }),
        arbiter: fc.integer({ min: 1, max: 999_999_999 }),
      },
      { requiredKeys: [...(Object.keys(judged) as (keyof typeof judged)[]), 'placements'] },
    ),
  )
  .map(([e, data]) => ({ ...e, outcome: 'stored' as const, data }));
export const auditEvents: fc.Arbitrary<AuditEvent> = fc.oneof(
  storedEvents,
  fc
    .tuple(
      traced,
      fc.record(
        {
          ...judged,
          of: positionText,
          redriveOf: positionText,
          placements: fc.array(placement, { minLength: 1, maxLength: 2 }),
        },
        { requiredKeys: [...(Object.keys(judged) as (keyof typeof judged)[]), 'of'] },
      ),
    )
    .map(([e, data]): AuditEvent => ({ ...e, outcome: 'duplicate', data })),
  fc
    .tuple(
      traced,
      fc.record({
        ...common,
        submission: hex64,
        sampleBytes: fc.integer({ min: 1 }),
        verdict: fc.constantFrom(...VERDICTS),
        consentId: fc.constant('consent-0001'),
      }),
      fc.constantFrom(...REFUSAL_REASONS),
      fc.record({ order: fc.uuid(), region: word }),
    )
    .map(([e, data, why, erasure]): AuditEvent => ({
      ...e,
      outcome: 'refused',
      data: { ...data, reason: why, ...(why === 'ERASED' ? { erasure } : {}) },
    })),
  fc
    .tuple(
      traced,
      fc.record(
        { ...common, reason: fc.constantFrom(...QUARANTINE_REASONS), submission: hex64, decision },
        { requiredKeys: ['previous', 'reason'] },
      ),
    )
    .map(([e, data]): AuditEvent => ({ ...e, outcome: 'quarantined', data })),
  fc
    .tuple(
      traced,
      fc.record({
        ...judged,
        reason: fc.constant('IDENTITY_CONFLICT' as const),
        of: positionText,
        owner: fc.record({ sampleSha256: hex64, country: fc.constantFrom('CH', 'BR') }),
      }),
    )
    .map(([e, data]): AuditEvent => ({ ...e, outcome: 'quarantined', data })),
);

const region = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,63}$/);
const placeInCustody = {
  log: fc.stringMatching(/^[A-Za-z0-9._-]{1,20}$/),
  sequence: fc.maxSafeNat(),
  at: fc.integer({ min: 0, max: 4e12 }),
};
const copiedEvents: fc.Arbitrary<CopiedEvent> = fc.record({
  ...placeInCustody,
  type: fc.constant(SAMPLE_COPIED),
  data: fc.record(
    {
      previous: fc.option(hex64),
      of: positionText,
      submission: hex64,
      region,
      from: word,
      copy: fc.record({ ...object, versionId: word }, { requiredKeys: [...REQUIRED_OF_OBJECT] }),
      setAside: fc.record({ key: word, sha256: hex64 }),
      order: fc.uuid(),
    },
    { requiredKeys: ['previous', 'of', 'submission', 'region', 'from', 'copy'] },
  ),
});
const asker = fc.stringMatching(/^[a-z0-9][a-z0-9._-]{0,63}$/);
const ofAccess = {
  previous: fc.option(hex64),
  region,
  access: fc.uuid({ version: 7 }),
  principal: asker,
};
const ASKED = [
  'previous',
  'region',
  'access',
  'principal',
  'of',
  'submission',
  'purpose',
  'reference',
  'form',
  'until',
] as const;
const askedOfVault = {
  ...ofAccess,
  of: positionText,
  submission: hex64,
  purpose: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,63}$/),
  reference: hex64,
  form: fc.constantFrom(...ACCESS_FORMS),
  until: fc
    .date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
    .map((date) => date.toISOString()),
};
export const custodyEvents: fc.Arbitrary<CustodyEvent> = fc.oneof(
  copiedEvents,
  fc.record({
    ...placeInCustody,
    type: fc.constant(SAMPLE_ERASED),
    data: fc.record({
      previous: fc.option(hex64),
      of: positionText,
      submission: hex64,
      region,
      order: fc.uuid(),
      sites: fc.array(
        fc.record(
          {
            site: word,
            sha256: hex64,
            versionId: word,
            versions: fc.nat(),
            setAside: fc.nat(),
            uploads: fc.nat(),
          },
          { requiredKeys: ['site', 'sha256', 'versions', 'setAside', 'uploads'] },
        ),
        { minLength: 1, maxLength: 3 },
      ),
    }),
  }),
  fc.record({
    ...placeInCustody,
    type: fc.constant(SAMPLE_LOST),
    data: fc.record({
      previous: fc.option(hex64),
      of: positionText,
      submission: hex64,
      region,
      order: fc.uuid(),
      sites: fc.array(fc.record({ site: word, found: fc.constantFrom(...FOUND_OF_LOST) }), {
        minLength: 1,
        maxLength: 3,
      }),
    }),
  }),
  fc.record({
    ...placeInCustody,
    type: fc.constant(LOSS_REFUSED),
    data: fc.record(
      {
        previous: fc.option(hex64),
        of: positionText,
        submission: hex64,
        region,
        order: fc.uuid(),
        code: fc.constantFrom(...LOSS_REFUSALS),
        site: word,
      },
      { requiredKeys: ['previous', 'submission', 'region', 'order', 'code'] },
    ),
  }),
  fc.record({
    ...placeInCustody,
    type: fc.constant(LOSS_CLOSED),
    data: fc.record({
      previous: fc.option(hex64),
      region,
      order: fc.uuid(),
      lost: fc.nat(),
      refused: fc.nat(),
    }),
  }),
  fc.record({
    ...placeInCustody,
    type: fc.constant(SAMPLE_NOT_REPAIRED),
    data: fc.record({
      previous: fc.option(hex64),
      of: positionText,
      submission: hex64,
      region,
      site: word,
      order: fc.uuid(),
      code: fc.constantFrom(...UNPAID_CODES),
    }),
  }),
  fc.record({
    ...placeInCustody,
    type: fc.constant(ORDER_CLOSED),
    data: fc.record(
      {
        previous: fc.option(hex64),
        region,
        order: fc.uuid(),
        site: word,
        checked: fc.nat(),
        copied: fc.nat(),
        unpaid: fc.nat(),
        refused: fc.constant('SITE_NOT_OF_REGION' as const),
      },
      { requiredKeys: ['previous', 'region', 'order', 'site', 'checked', 'copied', 'unpaid'] },
    ),
  }),
  fc.record({
    ...placeInCustody,
    type: fc.constant(SAMPLE_ACCESSED),
    data: fc.record(
      {
        ...askedOfVault,
        bytes: fc.integer({ min: 1 }),
        approvedBy: fc.array(asker, { minLength: 1 }),
      },
      { requiredKeys: [...ASKED, 'bytes'] },
    ),
  }),
  fc.record({
    ...placeInCustody,
    type: fc.constant(ACCESS_REQUESTED),
    data: fc.record({ ...askedOfVault, approvals: fc.integer({ min: 1 }) }),
  }),
  fc.record({
    ...placeInCustody,
    type: fc.constant(ACCESS_APPROVED),
    data: fc.record(ofAccess),
  }),
  fc.record({
    ...placeInCustody,
    type: fc.constant(ACCESS_REFUSED),
    data: fc.record({ ...ofAccess, code: fc.constantFrom(...ACCESS_REFUSALS) }),
  }),
);

const instant = fc
  .date({ min: new Date(0), max: new Date('9999-12-31T23:59:59.999Z'), noInvalidDate: true })
  .map((date) => date.toISOString());
const asked = {
  export: fc.uuid(),
  from: instant,
  to: instant,
  format: fc.constantFrom(...EXPORT_FORMATS),
};
const reason = fc
  .string({ unit: 'grapheme', minLength: 1, maxLength: 40 })
  .filter((text) => /^[^\p{C}\ufffd]{1,200}$/u.test(text));
const act = fc.uuid();
const topicId = fc.stringMatching(/^[A-Za-z0-9_-]{22}$/);
const name = fc.stringMatching(/^[a-z0-9-]{1,40}$/);
const acts: fc.Arbitrary<ControlEvent> = fc.oneof(
  fc.record({
    type: fc.constant(OPEN_BEGUN),
    data: fc.record(
      { act, submission: hex64, region: name, around: fc.constant('vault' as const) },
      { requiredKeys: ['act', 'submission', 'region'] },
    ),
  }),
  fc.record({
    type: fc.constant(RECONCILE_OPEN_BEGUN),
    data: fc.record({ act, regions: fc.array(name) }),
  }),
  fc.record({
    type: fc.constant(KEY_ADD_BEGUN),
    data: fc.record({ act, region: name, key: name }),
  }),
  fc.record({
    type: fc.constant(LEDGER_KEY_CHANGE_BEGUN),
    data: fc.record({ act, change: fc.constantFrom(...LEDGER_KEY_CHANGES) }),
  }),
  fc.record({
    type: fc.constant(AUDIT_RESTORE_BEGUN),
    data: fc.record({ act, entries: fc.nat() }),
  }),
  fc.record({
    type: fc.constant(NEW_LEDGER_BEGUN),
    data: fc.record({ act, lost: fc.constantFrom(...LOST_OF_LEDGER) }),
  }),
  fc.record({ type: fc.constant(KEY_RETIRE_BEGUN), data: fc.record({ act, key: name }) }),
  fc.record({
    type: fc.constant(PUBLICATION_BEGUN),
    data: fc.record({ act, id: name, version: fc.integer({ min: 1 }), digest: hex64 }),
  }),
  fc.record({
    type: fc.constant(REDRIVE_BEGUN),
    data: fc
      .record(
        {
          act,
          records: fc.integer({ min: 1 }),
          reason: fc.constantFrom('COUNTRY_UNKNOWN', undefined),
        },
        { requiredKeys: ['act', 'records'] },
      )
      .map(({ reason, ...data }) => (reason === undefined ? data : { ...data, reason })),
  }),
  fc.record({
    type: fc.constant(ACT_FAILED),
    data: fc.record({ act, code: fc.constantFrom('SITE_MARKER_MISSING', 'INTERRUPTED') }),
  }),
);
const said: fc.Arbitrary<ControlEvent> = fc.oneof(
  fc.record({ type: fc.constant(EXPORT_BEGUN), data: fc.record(asked) }),
  fc.record({
    type: fc.constant(EXPORTED),
    data: fc.record({
      ...asked,
      events: fc.nat(),
      digest: hex64,
      complete: fc.boolean(),
    }),
  }),
  fc.record({
    type: fc.constantFrom(ROUTING_PAUSED, INTAKE_DRAINING),
    data: fc.record({ reason }),
  }),
  fc.record({
    type: fc.constant(CLOCK_ACCEPTED),
    data: fc.record({ clock: instant, lastAppend: instant }),
  }),
  fc.constant({ type: ROUTING_RESUMED, data: {} } as const),
  fc.record({
    type: fc.constant(LOSS_ACCEPTED),
    data: fc.record({
      act,
      reason,
      region,
      submissions: fc.array(hex64, { minLength: 1, maxLength: 3 }),
    }),
  }),
  fc.record({
    type: fc.constant(CLAIMS_ENDED),
    data: fc.record({
      act,
      region: name,
      owners: fc.array(positionText, { minLength: 1, maxLength: 3 }),
    }),
  }),
  fc.record({
    type: fc.constantFrom(RECORD_SET_ASIDE, QUARANTINE_CLOSED),
    data: fc.record({ position: positionText, reason }),
  }),
  fc.record({
    type: fc.constant(TOPIC_ACCEPTED),
    data: fc.record({
      topic: fc.constantFrom(...Object.values(TOPICS)),
      was: topicId,
      is: topicId,
      reason,
    }),
  }),
  fc.record({
    type: fc.constant(LOG_LEVEL_SET),
    data: fc.record({
      service: fc.constantFrom('router', 'intake', 'all'),
      level: fc.constantFrom(...CONTROL_LOG_LEVELS),
    }),
  }),
);

export const consentIds = fc.stringMatching(/^[A-Za-z0-9_-]{8,128}$/);
const someOf = <T>(one: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(one, { minLength: 1, maxLength: 3 });
const submissionIds = someOf(hex64);
/** Orders to erase, and holds. */
const erasedIn = fc.constantFrom('zurich', 'a.b-1');
export const erasureEvents: fc.Arbitrary<ControlEvent> = fc.oneof(
  fc.record({
    type: fc.constant(ERASURE_ORDERED),
    data: fc.oneof(
      fc.record(
        { act, reason, region: erasedIn, submissions: submissionIds },
        { requiredKeys: ['act', 'reason', 'submissions'] },
      ),
      fc.record(
        {
          act,
          reason,
          region: erasedIn,
          consents: someOf(fc.record({ consentId: consentIds, before: instant })),
        },
        { requiredKeys: ['act', 'reason', 'consents'] },
      ),
    ),
  }),
  fc.record({
    type: fc.constant(HOLD_PLACED),
    data: fc.oneof(
      fc.record({ act, reason, submissions: submissionIds }),
      fc.record({ act, reason, consents: someOf(consentIds) }),
    ),
  }),
  fc.record({ type: fc.constant(HOLD_LIFTED), data: fc.record({ act, hold: act, reason }) }),
);

const principal = reason
  .map((text) => text.slice(0, 64))
  .filter((text) => /^[^\p{C}]{1,64}$/u.test(text));
export const controlEvents: fc.Arbitrary<ControlEvent> = fc
  .tuple(fc.oneof(acts, said, erasureEvents), fc.option(principal, { nil: undefined }))
  .map(([event, by]) => (by === undefined ? event : { ...event, principal: by }));

const envelope = { id: fc.string({ minLength: 1 }).filter(isText), source: fc.constant('urn:t') };
function isText(text: string): boolean {
  return !/[\p{Cc}\p{Cs}\p{Noncharacter_Code_Point}]/u.test(text);
}
const consents: fc.Arbitrary<ConsentEvent> = fc.oneof(
  fc.record(
    {
      kind: fc.constant('granted' as const),
      consentId: consentIds,
      purposes: fc.array(fc.string({ minLength: 1, maxLength: 20 }), {
        minLength: 1,
        maxLength: 16,
      }),
      termsVersion: fc.string({ minLength: 1, maxLength: 128 }),
      termsSha256: hex64,
    },
    { requiredKeys: ['kind', 'consentId', 'purposes', 'termsVersion'] },
  ),
  fc.record({ kind: fc.constant('withdrawn' as const), consentId: consentIds }),
);

/** As they are appended: every event that an encoder of ours writes. */
export const consentEntries: fc.Arbitrary<LogEntry> = fc.oneof(
  fc
    .tuple(consents, fc.record(envelope), salts)
    .map(([event, e, salt]) => consentEntry(consentCloudEvent(event, e), salt)),
  fc.uuid().map(consentTick),
);
export const subjectEntries: fc.Arbitrary<LogEntry> = fc
  .tuple(
    fc.record({ consentId: consentIds, subject: fc.string({ minLength: 1, maxLength: 40 }) }),
    fc.record(envelope),
  )
  .map(([link, e]) => subjectLinkEntry(subjectLinkCloudEvent(link, e)));

const policyName = fc.stringMatching(/^[a-z0-9][a-z0-9.-]{0,20}$/);
export const policies: fc.Arbitrary<PolicyDocument> = fc.record(
  {
    id: policyName,
    version: fc.integer({ min: 1 }),
    effectiveFrom: fc.oneof(instant, fc.constantFrom('2018-01-01', '2016-02-29T12:00:00+05:30')),
    regions: fc.array(
      fc.record(
        {
          id: policyName,
          sites: fc.array(policyName, { minLength: 1, maxLength: 3 }),
          keepDays: fc.double({ min: 0, minExcluded: true, max: 36_500, noNaN: true }),
        },
        { requiredKeys: ['id', 'sites'] },
      ),
      { minLength: 1, maxLength: 3 },
    ),
    rules: fc.array(
      fc.record(
        {
          id: policyName,
          region: policyName,
          from: instant,
          until: instant,
          countries: fc.array(fc.stringMatching(/^[A-Z]{2}$/), { minLength: 1, maxLength: 4 }),
          basis: fc.constantFrom(...BASES),
          confidence: fc.constantFrom(...CONFIDENCES),
          cites: fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 2 }),
        },
        { requiredKeys: ['id', 'region', 'from', 'countries', 'basis', 'confidence', 'cites'] },
      ),
      { minLength: 1, maxLength: 3 },
    ),
    notes: fc.array(fc.string({ minLength: 1 }), { maxLength: 2 }),
  },
  { requiredKeys: ['id', 'version', 'effectiveFrom', 'regions', 'rules'] },
);
export const policyEntries: fc.Arbitrary<LogEntry> = fc.oneof(
  fc.tuple(policies, fc.uuid()).map(([document, id]) => policyEntry(document, id)),
  fc.uuid().map(policyTick),
);
export const controlEntries: fc.Arbitrary<LogEntry> = fc
  .tuple(controlEvents, fc.uuid(), salts)
  .map(([event, id, salt]) => controlEntry(event, id, salt));

export const pointers: fc.Arbitrary<QuarantinePointer> = fc.record({
  position: positionText,
  reason: fc.constantFrom(...QUARANTINE_REASONS),
  detail: fc.string(),
  valueSha256: hex64,
  valueBytes: fc.nat(),
});
const described = {
  position: positionText,
  sampleSha256: hex64,
  country: fc.constantFrom('CH', 'BR'),
  policyDigest: hex64,
  sealedSha256: hex64,
  wrappingKey: fc.stringMatching(/^[a-zA-Z0-9-]{1,128}$/),
};
export const objects: fc.Arbitrary<ObjectMetadata> = fc.record(
  { ...described, arbiter: fc.integer({ min: 1, max: 999_999_999 }), erased: fc.uuid() },
  { requiredKeys: Object.keys(described) as (keyof typeof described)[] },
);

const attributes = fc.record(
  {
    usercountry: fc.constantFrom('CH', 'de', 'nowhere'),
    consentid: consentIds,
    verdict: fc.constantFrom(...VERDICTS),
    samplesha256: hex64,
    partitionkey: fc.string({ minLength: 1, maxLength: 30 }).filter(isText),
    traceparent: fc.constantFrom('none', `00-${'1'.repeat(32)}-${'2'.repeat(16)}-01`),
    other: fc.constantFrom<AttributeValue>('x', true, -5),
  },
  { requiredKeys: ['usercountry', 'consentid', 'verdict'] },
);
/** Submissions that a router takes on: country, consent and digest are judged later. */
export const submissions: fc.Arbitrary<CloudEvent> = fc.record(
  {
    specversion: fc.constant('1.0' as const),
    type: fc.constant(SUBMITTED),
    ...envelope,
    datacontenttype: fc.constantFrom('application/octet-stream', 'text/plain; charset=utf-8'),
    subject: fc.constant('somebody'),
    time: fc.constantFrom('2018-04-05T17:31:00Z', '1990-12-31t23:59:60.5+02:00'),
    extensions: attributes,
    data: fc.string({ minLength: 1, unit: 'grapheme' }).map((text) => Buffer.from(text)),
  },
  { requiredKeys: ['specversion', 'type', 'id', 'source', 'extensions', 'data'] },
);
