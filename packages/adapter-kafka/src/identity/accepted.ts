import { TOPIC_ACCEPTED, readControlRecord } from '@residency/contracts';
import type { LogRecord, Topic } from '@residency/contracts';

/** A person declared that a topic was replaced for good (`residency topics accept`). */
export interface AcceptedReplacement {
  readonly topic: Topic;
  readonly was: string;
  readonly is: string;
}

/** `undefined`: the record is another control event, or none. */
export function acceptedReplacement(
  record: Pick<LogRecord, 'headers' | 'value'>,
): AcceptedReplacement | undefined {
  try {
    const event = readControlRecord(record);
    return event.type === TOPIC_ACCEPTED ? event.data : undefined;
  } catch {
    return undefined;
  }
}
