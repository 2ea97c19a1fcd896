import type { Headers } from '@residency/cloudevents';
import { TOPICS, regionOfCustody } from '@residency/contracts';
import type { Topic } from '@residency/contracts';

/**
 * Topics' ids by logical name (KIP-516). A topic that is recreated under its name has another id.
 * Unknown ids are absent.
 */
export type TopicIds = ReadonlyMap<Topic, string>;

/**
 * A header on the last audit event of each settlement: the topics' ids at that time
 * (docs/formats/audit-event.md).
 */
export const TOPIC_IDS_HEADER = 'residency-topic-ids';

const KNOWN: ReadonlySet<string> = new Set(Object.values(TOPICS));
const ENTRY = /^([A-Za-z0-9._-]{1,249})=([A-Za-z0-9_-]{22})$/;

export function encodeTopicIds(ids: TopicIds): Buffer {
  return Buffer.from(
    [...ids]
      .map(([topic, id]) => `${topic}=${id}`)
      .toSorted()
      .join(','),
  );
}

/**
 * The inverse. Returns `undefined` if the header holds no ids. Everybody with write access to the
 * audit log controls the input.
 */
export function topicIdsOf(headers: Headers): TopicIds | undefined {
  const text = headers.find(([name]) => name === TOPIC_IDS_HEADER)?.[1].toString('utf8');
  const entries = text?.split(',').map((entry) => ENTRY.exec(entry)) ?? [];
  const ids = entries.flatMap((entry) =>
    entry !== null && isTopic(entry[1]) ? [[entry[1], entry[2] ?? ''] as const] : [],
  );
  return ids.length === 0 ? undefined : new Map(ids);
}

function isTopic(name: string | undefined): name is Topic {
  return name !== undefined && (KNOWN.has(name) || regionOfCustody(name) !== undefined);
}
