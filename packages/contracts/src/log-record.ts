import type { Headers } from '@residency/cloudevents';

/** A record as a log returns it. */
export interface LogRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /**
   * The append time that the log gave it, milliseconds since the epoch: the T of every decision.
   */
  readonly at: number;
  readonly key: Buffer | null;
  readonly headers: Headers;
  /** `null`: a tombstone on a compacted topic. */
  readonly value: Buffer | null;
}

/** A record about to be appended. */
export type NewRecord = Pick<LogRecord, 'key' | 'headers' | 'value'>;

export const TOPICS = {
  samples: 'threat.samples',
  consents: 'threat.consents',
  subjects: 'threat.subjects',
  policy: 'residency.policy',
  audit: 'residency.audit',
  quarantine: 'threat.samples.quarantine',
  control: 'residency.control',
} as const;
/** A region's custody log (docs/formats/custody.md). */
export type CustodyTopic = `residency.custody.${string}`;
export type Topic = (typeof TOPICS)[keyof typeof TOPICS] | CustodyTopic;

export function custodyTopic(region: string): CustodyTopic {
  return `residency.custody.${region}`;
}

/**
 * A header of a redriven record: the position at which it was quarantined. It is a record header,
 * so that it also fits records that are not CloudEvents.
 */
export const REDRIVE_HEADER = 'residency-redrive-of';
