import { readTopic } from './kcat.ts';

/**
 * The last settled offset of each partition of `topic`, from the last value of each key of
 * `__consumer_offsets`.
 */
export async function groupProgress(
  brokers: readonly string[],
  group: string,
  topic: string,
): Promise<ReadonlyMap<number, number>> {
  const settled = new Map<number, number>();
  for (const { key, value } of await readTopic(brokers, '__consumer_offsets')) {
    if (key === null || value === null || key.readInt16BE(0) > 1) continue;
    const [itsGroup, afterGroup] = text(key, 2);
    const [itsTopic, afterTopic] = text(key, afterGroup);
    // The committed offset is the one after the last settled; it follows a version of two bytes.
    if (itsGroup === group && itsTopic === topic)
      settled.set(key.readInt32BE(afterTopic), Number(value.readBigInt64BE(2)) - 1);
  }
  return settled;
}

function text(bytes: Buffer, at: number): [string, number] {
  const end = at + 2 + bytes.readInt16BE(at);
  return [bytes.toString('utf8', at + 2, end), end];
}
