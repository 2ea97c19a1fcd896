/**
 * The words of the formats, without what judges a record by them. A command line declares its
 * options with these and starts without a validator.
 */

/** On `threat.samples`. */
export const SUBMITTED = 'threat.sample.submitted.v1';
/** What a product may say of a sample. */
export const VERDICTS = ['malicious', 'suspicious'] as const;
export type Verdict = (typeof VERDICTS)[number];

export const CONSENT_GRANTED = 'consent.granted.v1';
export const CONSENT_WITHDRAWN = 'consent.withdrawn.v1';
/** An event that moves an idle log's watermark. It has no content. */
export const CONSENT_TICK = 'consent.tick.v1';
/**
 * The link from a consent id to a person. It has a topic of its own, so that it alone can be
 * erased.
 */
export const SUBJECT_LINKED = 'subject.linked.v1';

/** A policy version on `residency.policy`: structured CloudEvent, data = the document. */
export const POLICY_PUBLISHED = 'policy.published.v1';
/** An event that moves an idle policy log's watermark. It has no content. */
export const POLICY_TICK = 'policy.tick.v1';

/** Events on `residency.control`: acts of operators (docs/formats/control.md). */
export const EXPORT_BEGUN = 'residency.audit.export-begun.v1';
export const EXPORTED = 'residency.audit.exported.v1';
export const ROUTING_PAUSED = 'residency.routing.paused.v1';
export const INTAKE_DRAINING = 'residency.intake.draining.v1';
export const ROUTING_RESUMED = 'residency.routing.resumed.v1';
export const RECORD_SET_ASIDE = 'residency.record.set-aside.v1';
export const CLOCK_ACCEPTED = 'residency.clock.accepted.v1';
export const LOG_LEVEL_SET = 'residency.log-level.set.v1';
export const OPEN_BEGUN = 'residency.sample.open-begun.v1';
export const RECONCILE_OPEN_BEGUN = 'residency.reconciliation.open-begun.v1';
export const KEY_ADD_BEGUN = 'residency.key.add-begun.v1';
export const KEY_RETIRE_BEGUN = 'residency.key.retire-begun.v1';
export const PUBLICATION_BEGUN = 'residency.policy.publication-begun.v1';
export const REDRIVE_BEGUN = 'residency.quarantine.redrive-begun.v1';
export const LEDGER_KEY_CHANGE_BEGUN = 'residency.ledger.key-change-begun.v1';
export const AUDIT_RESTORE_BEGUN = 'residency.audit.restore-begun.v1';
export const NEW_LEDGER_BEGUN = 'residency.ledger.new-ledger-begun.v1';
export const ACT_FAILED = 'residency.act.failed.v1';
export const TOPIC_ACCEPTED = 'residency.topic.accepted.v1';
export const QUARANTINE_CLOSED = 'residency.quarantine.closed.v1';
export const SITE_REPAIR_ORDERED = 'residency.site.repair-ordered.v1';
export const ARBITER_CLOSING = 'residency.arbiter.closing.v1';
export const ARBITER_CLAIMS = 'residency.arbiter.claims.v1';
export const ARBITER_CHANGED = 'residency.arbiter.changed.v1';
export const ARBITER_KEPT = 'residency.arbiter.kept.v1';
export const SITE_OUT = 'residency.site.out.v1';
export const SITE_IN = 'residency.site.in.v1';
export const SITE_RETIRED = 'residency.site.retired.v1';
/** An order to the custodians: these samples, or those of these consents, are erased. */
export const ERASURE_ORDERED = 'residency.erasure.ordered.v1';
/** What is on hold is not erased until the hold is lifted. */
export const HOLD_PLACED = 'residency.hold.placed.v1';
export const HOLD_LIFTED = 'residency.hold.lifted.v1';
/** An order to a region's custodian: these samples are given up, if no site has a good copy. */
export const LOSS_ACCEPTED = 'residency.loss.accepted.v1';
/** Claims of lost samples end: the identities are free. */
export const CLAIMS_ENDED = 'residency.arbiter.claims-ended.v1';
/** The most submissions, or consents, in one order or hold. */
export const NAMED_IN_ORDER = 1_000;
/** Who acts: the event's `authid`. */
export const CONTROL_PRINCIPAL = /^[^\p{C}]{1,128}$/u;
/** The most claims in one event. */
export const CLAIMS_IN_EVENT = 1_000;

/** On `residency.custody.<region>`: a site of the region got a copy of a stored sample. */
export const SAMPLE_COPIED = 'residency.sample.copied.v1';
/** On `residency.custody.<region>`: an order found a copy that is not good and could not be made anew. */
export const SAMPLE_NOT_REPAIRED = 'residency.sample.not-repaired.v1';
/** Why a site did not get its copy although it can be reached. */
export const UNPAID_CODES = [
  'NO_GOOD_COPY',
  'ONLY_ANOTHER_CIPHERTEXT',
  'STORED_TWICE',
  'STRANGER_UNSETTLED',
  'STRANGER_UNKNOWN',
  'OBJECT_UNREADABLE',
  'CHANGED_MEANWHILE',
] as const;
export type UnpaidCode = (typeof UNPAID_CODES)[number];
/** On `residency.custody.<region>`: a sample is given out, or may be. It comes before the first byte. */
export const SAMPLE_ACCESSED = 'residency.sample.accessed.v1';
/** On `residency.custody.<region>`: somebody asks for a sample, and others must approve. */
export const ACCESS_REQUESTED = 'residency.access.requested.v1';
export const ACCESS_APPROVED = 'residency.access.approved.v1';
export const ACCESS_REFUSED = 'residency.access.refused.v1';
/** Who asks for samples. A pseudonym: the link to a name is kept elsewhere, so that it can be erased. */
export const ACCESS_PRINCIPAL = /^[a-z0-9][a-z0-9._-]{0,63}$/;
/** The id of a purpose in the purposes file. */
export const PURPOSE_ID = /^[a-z0-9][a-z0-9-]{0,63}$/;
/** A UUID of version 7 (RFC 9562 §5.7), which the asker makes. */
export const ACCESS_ID = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
/** What an asker says of why; events have its keyed digest. */
export const REFERENCE = /^[^\p{Cc}\p{Cs}]{1,256}$/u;
/** How a sample is packed that leaves the vault. */
export const ACCESS_FORMS = ['cart', 'zip', 'zip-legacy', 'raw'] as const;
export type AccessForm = (typeof ACCESS_FORMS)[number];
/** Why an access, or an approval of one, was refused. */
export const ACCESS_REFUSALS = [
  'PURPOSE_UNKNOWN',
  'PURPOSE_NOT_ALLOWED',
  'FORM_NOT_ALLOWED',
  'SUBMISSION_UNKNOWN',
  'SAMPLE_ERASED',
  'CONSENT_WITHDRAWN',
  'LIMIT_REACHED',
  'APPROVER_NOT_ALLOWED',
  'APPROVAL_BY_ASKER',
  'APPROVAL_EXPIRED',
] as const;
export type AccessRefusal = (typeof ACCESS_REFUSALS)[number];
/** On `residency.custody.<region>`: these sites have a tombstone in the place of a stored sample. */
export const SAMPLE_ERASED = 'residency.sample.erased.v1';
/** On `residency.custody.<region>`: no site has a good copy of a stored sample, and a person gave it up. */
export const SAMPLE_LOST = 'residency.sample.lost.v1';
/** What a site has under the key of a lost sample. */
export const FOUND_OF_LOST = ['nothing', 'another', 'tombstone'] as const;
/** On `residency.custody.<region>`: a sample that a person gave up is not lost. */
export const LOSS_REFUSED = 'residency.loss.refused.v1';
/** Why a sample that an order gives up is not lost by it. */
export const LOSS_REFUSALS = [
  'HELD',
  'OBJECT_IN_PLACE',
  'LOST_BEFORE',
  'ERASURE_ORDERED',
  'ERASED',
  'NOT_STORED',
] as const;
export type LossRefusal = (typeof LOSS_REFUSALS)[number];
/** On `residency.custody.<region>`: an order to give samples up was carried out. */
export const LOSS_CLOSED = 'residency.loss.closed.v1';
/** On `residency.custody.<region>`: an order was carried out. */
export const ORDER_CLOSED = 'residency.order.closed.v1';

export const EXPORT_FORMATS = ['ndjson', 'csv'] as const;
export const LEDGER_KEY_CHANGES = ['generate', 'rotate'] as const;
/** The losses after which a new ledger must begin. */
export const LOST_OF_LEDGER = ['key', 'events'] as const;
/** `default`: the level of the service's configuration. */
export const CONTROL_LOG_LEVELS = ['debug', 'info', 'warn', 'error', 'default'] as const;

/** The service name that stands for all services in a log level. */
export const ALL_SERVICES = 'all';
