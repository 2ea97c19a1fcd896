import { TOPICS, readPolicyRecord } from '@residency/contracts';
import type { PolicyPublished } from '@residency/residency';
import type { KafkaLog } from './kafka-log.ts';

/**
 * Every version that was published before the call, valid or not, in log order. Rejects with the
 * signal's reason once it is aborted.
 */
export async function publishedPolicies(
  log: Pick<KafkaLog, 'read'>,
  signal: AbortSignal,
): Promise<readonly PolicyPublished[]> {
  const published: PolicyPublished[] = [];
  for await (const record of log.read(TOPICS.policy, { until: 'end', signal })) {
    const version = readPolicyRecord(record);
    if (version !== undefined) published.push(version);
  }
  // An aborted read ends like a complete one.
  signal.throwIfAborted();
  return published;
}
