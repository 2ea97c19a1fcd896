import { FORMAT_LEVEL } from '@residency/contracts';
import type { PartitionAssigner } from 'kafkajs';
import { PartitionAssigners } from '../kafkajs/kafkajs.ts';

/**
 * kafkajs's round robin under a name that has a format level. All members of a group must know one
 * assigner by the same name, so the broker refuses a member of another level
 * (`INCONSISTENT_GROUP_PROTOCOL`).
 */
export function assignerOf(level: number): PartitionAssigner {
  return (config) => ({
    ...PartitionAssigners.roundRobin(config),
    name: `residency-${level}`,
  });
}

export const SAME_LEVEL: PartitionAssigner = assignerOf(FORMAT_LEVEL);
