import { createTopics, openKafkaLog, topicName, topicPlan } from '@residency/adapter-kafka';
import { TOPICS } from '@residency/contracts';
import { createLogger } from '@residency/telemetry';
import { appendSamples } from './sample-entry.ts';
import type { Samples } from './sample-entry.ts';
import { PARTITIONS } from './stand.ts';
import type { Stand } from './stand.ts';

/**
 * Publishes samples in a new topic that holds nothing else, so that a peer of any kind reads it
 * from its beginning. Returns its name.
 */
export async function publishForPeer(
  { deployment: { kafka } }: Stand,
  samples: Samples,
): Promise<string> {
  const logger = createLogger({ level: 'silent' });
  const settings = { ...kafka, topicPrefix: `${kafka.topicPrefix}peer-${samples.first}.` };
  // All of them: our own reader, which a peer may use, asks for the others too.
  await createTopics(settings, logger, topicPlan({ partitions: PARTITIONS, replicationFactor: 1 }));
  const log = await openKafkaLog(settings, logger);
  try {
    await appendSamples(log, samples, samples.workload.count);
  } finally {
    await log.close();
  }
  return topicName(settings.topicPrefix, TOPICS.samples);
}
