import { ask } from './client.ts';

// What `adapter-kafka/src/kafkajs/topic-ids.ts` exports, over the simulated cluster of the process
// that asks.

export function supportsTopicIds(): boolean {
  return true;
}

export async function fetchTopicIds(
  _: unknown,
  topics: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  return await ask(
    'topic ids',
    (cluster) => new Map(topics.map((topic) => [topic, cluster.topicId(topic)])),
  );
}
