import type { AuditEvent } from './audit-event.ts';

/** The record that owns an identity, and what it has under it. */
export interface NamedOwner {
  /** Its position. */
  readonly of: string;
  readonly sampleSha256: string;
  readonly country: string;
}

/**
 * The owner that a duplicate's or a conflict's event names. It is a stored record, or one whose
 * event names another one. `undefined`: the event names none.
 */
export function namedOwner({ outcome, data }: AuditEvent): NamedOwner | undefined {
  if (outcome === 'duplicate') {
    const { of, sampleSha256, country } = data;
    return { of, sampleSha256, country };
  }
  if (outcome !== 'quarantined' || data.of === undefined || data.owner === undefined)
    return undefined;
  return { of: data.of, ...data.owner };
}
