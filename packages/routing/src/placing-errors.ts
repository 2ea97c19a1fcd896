import { objectKey } from '@residency/contracts';
import type { Claim, RecordMetadata } from './claim.ts';
import type { ObjectHead } from './ports/object-store.ts';
import { RoutingError } from './routing-error.ts';

/** A site and the position that its object names; `undefined`: its metadata cannot be read. */
export type Standing = readonly [site: string, position: string | undefined];

const RUNBOOK = 'docs/runbooks/ResidencySitesDisagree.md';

/**
 * Sites hold objects of one identity that contradict each other, or bytes of a quarantined sample
 * (`other` absent). A person must act.
 */
export function sitesDisagree(
  { submission, metadata }: Claim,
  one: Standing,
  other: Standing | undefined,
): RoutingError {
  const found =
    other === undefined
      ? `${standing(one)}, whose record is settled and not stored`
      : `${standing(one)}, and ${standing(other)}`;
  return new RoutingError({
    code: 'SITES_DISAGREE',
    remedy: 'retry',
    message: `Expected the region's sites to hold one sample under ${objectKey(submission)}, found ${found}. A site lost an object, or a router wrote late; ${metadata.position} waits, nothing is overwritten. Decide which record owns the identity and restore or remove the other object: ${RUNBOOK}.`,
  });
}

function standing([site, position]: Standing): string {
  return position === undefined
    ? `in ${site} an object without readable metadata`
    : `in ${site} the object of ${position}`;
}

/**
 * A site holds an object whose record, or the one that its event names, is still being placed, or
 * may be about to commit as stored.
 */
export function ownerUnsettled(
  { submission, metadata }: Claim,
  site: string,
  other: string,
): RoutingError {
  return new RoutingError({
    code: 'OWNER_UNSETTLED',
    remedy: 'retry',
    message: `Expected ${other}, to which the object in ${site} under ${objectKey(submission)} leads, to be placed and settled, found it unsettled. ${metadata.position} waits for it. If neither partition advances: ${RUNBOOK}.`,
  });
}

/**
 * The first site's object cannot be read, and a later site that may have the record's own bytes does
 * not answer: the record must not be quarantined (docs/decisions/0016).
 */
export function laterSiteAway({ submission, metadata }: Claim, site: string): RoutingError {
  return new RoutingError({
    code: 'OWNER_UNSETTLED',
    remedy: 'retry',
    message: `Expected every later site to say whether it has bytes of ${metadata.position}, because ${site} holds an object under ${objectKey(submission)} that cannot be read, found one that does not answer. The record waits until it does.`,
  });
}

/** A claim on the control log names a position that this log does not explain. */
export function claimUnknown({ submission, metadata }: Claim, of: string): RoutingError {
  return new RoutingError({
    code: 'CLAIM_UNKNOWN',
    remedy: 'retry',
    message: `Expected the claim on residency.control of ${submission} to name a record of this log and this submission, found ${of}. ${metadata.position} waits. See who wrote it (residency audit list --control); another residency site out makes the claims anew.`,
  });
}

/**
 * Throws unless an object with this record's position can have been written from this record:
 * digest, country and policy must agree. If they differ, the log is not the one that was routed.
 */
export function requireOwnObject(
  { metadata: found }: ObjectHead,
  own: RecordMetadata,
  site: string,
): void {
  const names = (['sampleSha256', 'country', 'policyDigest'] as const).filter(
    (name) => found[name] !== own[name],
  );
  if (names.length > 0)
    throw rewound(
      `the object of ${own.position} in ${site} to be of this record, found another ${names.join(', ')}`,
    );
}

/** An object names a position that this log has not reached. */
export function positionBeyond(site: string, position: string): RoutingError {
  return rewound(
    `the log to hold ${position}, whose object is in ${site}, found that it ends before it`,
  );
}

/** An object names a position whose audit event is about another submission. */
export function otherRecord(site: string, position: string): RoutingError {
  return rewound(
    `the audit event of ${position}, whose object is in ${site}, to be about the object's submission, found another`,
  );
}

function rewound(expected: string): RoutingError {
  return new RoutingError({
    code: 'LOG_REWOUND',
    remedy: 'stop',
    message: `Expected ${expected}. An older copy of the log was put back, or the log lost its end (an unclean leader election, a power cut). Nothing more is settled: put the newest log back, or see docs/runbooks/ResidencyServiceDown.md.`,
  });
}
