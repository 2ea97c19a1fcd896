import { parsePosition } from '@residency/contracts';
import type { Position } from '@residency/contracts';

/** A position's partition, with log and topic, and its offset. */
export function placeOf(position: string): readonly [partition: string, offset: bigint] {
  const parsed = parsePosition(position);
  return [partitionOf(parsed), parsed.offset];
}

/** With log and topic. */
export function partitionOf({ log, topic, partition }: Position): string {
  return `${log}/${topic}/${partition}`;
}
