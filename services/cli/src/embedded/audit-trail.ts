import { TOPICS, custodyTopic } from '@residency/contracts/log-record';
import { formatPosition } from '@residency/contracts/position';
import type { Topic } from '@residency/contracts';
import type { AuditTrail } from '@residency/reconciliation';
import type { DataDirectory } from '@residency/standalone';

/**
 * The embedded log as the reconciler reads it: the topics themselves, never by the tables that help
 * to look things up. `regions`: those of all valid policy versions.
 */
export function auditTrailOf(
  { log }: Pick<DataDirectory, 'log'>,
  regions: () => Iterable<string>,
): AuditTrail {
  const partition = `${log.name}/${TOPICS.samples}/0`;
  async function* values(topic: Topic): AsyncGenerator<Buffer> {
    // No value: no event either, and counted as such.
    for await (const { value } of log.read(topic)) yield value ?? Buffer.alloc(0);
  }
  return {
    events: () => values(TOPICS.audit),
    pointers: () => values(TOPICS.quarantine),
    async *custody() {
      // A topic without a record has no row, and reads as empty.
      for (const region of regions()) yield* values(custodyTopic(region));
    },
    committed: async () => new Map([[partition, (await log.committed()) ?? -1n]]),
    end: async () => new Map([[partition, await log.end(TOPICS.samples)]]),
    async *lookupDifferences() {
      for await (const position of log.lookupDifferences()) yield formatPosition(position);
    },
  };
}
