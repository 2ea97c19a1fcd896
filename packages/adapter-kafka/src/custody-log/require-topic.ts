import type { CustodyTopic } from '@residency/contracts';
import { requireSameTopics, requireUnchanged } from '../identity/log-identity.ts';
import type { LogIdentity } from '../identity/log-identity.ts';
import { KafkaLogError } from '../kafka-log-error.ts';
import type { IntakeReads } from '../submission-log/intake-reads.ts';

export interface RequireTopicDeps {
  readonly reads: Pick<IntakeReads, 'bounds' | 'topicIds'>;
  readonly identity: Pick<LogIdentity, 'look'>;
}

/**
 * Throws `LOG_REPLACED` (stop) if a custody topic is not the one whose id the routers' events
 * record, and `CUSTODY_TRIMMED` (stop) if its beginning is gone. Returns a check that throws the
 * former if it was replaced since.
 */
export async function requireCustodyTopic(
  topic: CustodyTopic,
  { reads, identity }: RequireTopicDeps,
): Promise<() => Promise<void>> {
  const first = await reads.topicIds([topic]);
  requireSameTopics(await identity.look(), [topic]);
  const start = (await reads.bounds(topic)).get(0)?.start ?? 0n;
  if (start > 0n) throw custodyTrimmed(topic, start);
  return async () => {
    await requireUnchanged([topic], first, () => reads.topicIds([topic]));
  };
}

function custodyTrimmed(topic: CustodyTopic, start: bigint): KafkaLogError {
  return new KafkaLogError({
    code: 'CUSTODY_TRIMMED',
    remedy: 'stop',
    message: `Expected ${topic} to begin at offset 0, found ${start}: its first records were removed, by retention or by hand, and what happened to the samples before is not known. Make the topic again with retention.ms=-1 and restore it from its ledger (docs/how-to/restore-the-audit-log.md).`,
  });
}
