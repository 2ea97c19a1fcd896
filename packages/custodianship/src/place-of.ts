import { parsePosition } from '@residency/contracts';

/** A position's partition, with log and topic, and its offset. */
export function placeOf(position: string): readonly [partition: string, offset: bigint] {
  const { log, topic, partition, offset } = parsePosition(position);
  return [`${log}/${topic}/${partition}`, offset];
}
