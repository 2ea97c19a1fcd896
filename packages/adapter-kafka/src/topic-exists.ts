import { hasCode } from '@residency/coded-error';
import type { Topic } from '@residency/contracts';
import type { Offsets } from './reading/fetched.ts';

/**
 * Ask before a topic is read that may be missing, such as a region's custody log before its first
 * custodian: a reading waits for an election of it.
 */
export async function topicExists(
  log: { readonly ends: (topic: Topic) => Promise<Offsets> },
  topic: Topic,
): Promise<boolean> {
  try {
    await log.ends(topic);
    return true;
  } catch (error) {
    if (hasCode(error, 'TOPIC_MISSING')) return false;
    throw error;
  }
}
