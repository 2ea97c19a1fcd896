import { defined } from '@residency/defined';
import type { Undecided } from '@residency/observation';
import type { ClusterConnection } from './cluster-connection.ts';

export async function undecidedIn(
  connection: ClusterConnection,
  topic: string,
): Promise<Undecided[]> {
  // The ends first, so that records appended between the two reads do not count as undecided.
  const ends = await connection.ends(topic);
  const stable = await connection.stableEnds(topic);
  const found: Undecided[] = [];
  for (const [partition, offset] of stable) {
    if (offset >= (ends.get(partition) ?? offset)) continue;
    const since = await connection.appendTime(topic, partition, offset);
    found.push({ partition, offset, ...defined({ since }) });
  }
  return found;
}
