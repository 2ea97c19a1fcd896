import type { Topic } from '@residency/contracts';

/** The cluster's name of a topic. Positions always carry the logical one. */
export function topicName(topicPrefix: string, topic: Topic): string {
  return `${topicPrefix}${topic}`;
}

/**
 * The consumer group of a region's custodians, of which one is active, and its transactional id. So
 * one right on names with this beginning suffices for both.
 */
export function custodianGroup(topicPrefix: string, region: string): string {
  return `${topicPrefix}residency-custodian-${region}`;
}

/** The consumer group of all routers of one intake log. */
export function routerGroup(topicPrefix: string): string {
  return `${topicPrefix}residency-router`;
}
