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

/**
 * True for the key of ticks. On the topics with ticks a record with this key is nothing else:
 * compaction removes all of them but the last.
 */
export function hasTickKey({ key }: Pick<LogRecord, 'key'>): boolean {
  return key?.equals(TICK_KEY) === true;
}

export const TICK_KEY = Buffer.from('tick');

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
const CUSTODY = 'residency.custody.';
/** A region's custody log (docs/formats/custody.md). */
export type CustodyTopic = `residency.custody.${string}`;
export type Topic = (typeof TOPICS)[keyof typeof TOPICS] | CustodyTopic;

/** One partition of a topic. */
export interface TopicPartition {
  readonly topic: Topic;
  readonly partition: number;
}

export function custodyTopic(region: string): CustodyTopic {
  return `${CUSTODY}${region}`;
}

/** The inverse of `custodyTopic`; `undefined`: no custody log has this name. */
export function regionOfCustody(topic: string): string | undefined {
  const region = topic.startsWith(CUSTODY) ? topic.slice(CUSTODY.length) : '';
  return /^[a-z0-9][a-z0-9.-]{0,63}$/.test(region) ? region : undefined;
}

/**
 * A header of a redriven record: the position at which it was quarantined. It is a record header,
 * so that it also fits records that are not CloudEvents.
 */
export const REDRIVE_HEADER = 'residency-redrive-of';
