import { TOPICS } from '@residency/contracts/log-record';

/**
 * Topics that may be replaced for good under the log's name. If another topic is replaced, the log
 * needs a new name.
 */
export const ACCEPTABLE_TOPICS = [
  TOPICS.quarantine,
  TOPICS.consents,
  TOPICS.subjects,
  TOPICS.policy,
  TOPICS.control,
] as const;
export type AcceptableTopic = (typeof ACCEPTABLE_TOPICS)[number];
