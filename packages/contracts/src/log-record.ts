import type { Headers } from '@residency/cloudevents';

/** A record as a log gives it back. */
export interface LogRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** Append time the log gave it, milliseconds since the epoch: the T of every decision. */
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
export type Topic = (typeof TOPICS)[keyof typeof TOPICS];

/** On a redriven record: the position it was quarantined at. A record header, so that it fits records that are no CloudEvent. */
export const REDRIVE_HEADER = 'residency-redrive-of';
