import { TOPICS, readPolicyRecord } from '@residency/contracts';
import type { PolicyPublished } from '@residency/residency';
import type { PolicyReading } from '@residency/routing';
import type { KafkaLog } from './kafka-log.ts';

/** The versions of `policyReading`. */
export async function publishedPolicies(
  log: Pick<KafkaLog, 'read'>,
  signal: AbortSignal,
): Promise<readonly PolicyPublished[]> {
  return (await policyReading(log, signal)).versions;
}

/**
 * Every version that was published before the call, valid or not, in log order. The watermark is the
 * newest append time, by the brokers' clocks; 0: the log is empty. Rejects with the signal's reason
 * once it is aborted.
 */
export async function policyReading(
  log: Pick<KafkaLog, 'read'>,
  signal: AbortSignal,
): Promise<PolicyReading> {
  const versions: PolicyPublished[] = [];
  let watermark = 0;
  for await (const record of log.read(TOPICS.policy, { until: 'end', signal })) {
    const version = readPolicyRecord(record);
    if (version !== undefined) versions.push(version);
    watermark = Math.max(watermark, record.at);
  }
  // An aborted read ends like a complete one.
  signal.throwIfAborted();
  return { watermark, versions };
}
