import { TOPICS, custodyTopic, regionOfCustody } from '@residency/contracts/log-record';
import type { CustodyTopic } from '@residency/contracts/log-record';
import { InvalidArgumentError } from 'commander';

const NAMED = [
  TOPICS.quarantine,
  TOPICS.consents,
  TOPICS.subjects,
  TOPICS.policy,
  TOPICS.control,
] as const;

/**
 * A topic that may be replaced for good under the log's name: one of these, or a custody log. If
 * another topic is replaced, the log needs a new name.
 */
export type AcceptableTopic = (typeof NAMED)[number] | CustodyTopic;

/** Throws an `InvalidArgumentError`. */
export function parseAcceptableTopic(name: string): AcceptableTopic {
  const region = regionOfCustody(name);
  const topic = region === undefined ? NAMED.find((one) => one === name) : custodyTopic(region);
  if (topic !== undefined) return topic;
  throw new InvalidArgumentError(
    `Expected ${NAMED.join(', ')} or residency.custody.<region>, without the prefix.`,
  );
}
