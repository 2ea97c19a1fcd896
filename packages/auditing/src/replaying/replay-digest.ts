import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { TOPICS } from '@residency/contracts';

export interface PartitionDigest {
  readonly partition: number;
  readonly events: number;
  /**
   * Lower-case hex SHA-256 over the events in order. A big-endian uint32 with the length precedes
   * each event.
   */
  readonly sha256: string;
}

/** SHA-256 of nothing: of a log without events. */
export const EMPTY_DIGEST = createHash('sha256').digest('hex');

/**
 * The digest of the replayed events (docs/formats/audit-event.md "Replay digest"). All readers that
 * see the same events in each partition's order get the same digest, however partitions are
 * interleaved.
 */
export class ReplayDigest {
  readonly #partitions = new Map<number, { readonly hash: Hash; events: number }>();
  readonly #length = Buffer.alloc(4);

  add(partition: number, event: Uint8Array): void {
    let of = this.#partitions.get(partition);
    if (of === undefined)
      this.#partitions.set(partition, (of = { hash: createHash('sha256'), events: 0 }));
    this.#length.writeUInt32BE(event.length);
    of.hash.update(this.#length).update(event);
    of.events += 1;
  }

  /** The digests by partition number. More events may be added afterwards. */
  partitions(): PartitionDigest[] {
    return [...this.#partitions]
      .map(([partition, { hash, events }]) => ({
        partition,
        events,
        sha256: hash.copy().digest('hex'),
      }))
      .sort((a, b) => a.partition - b.partition);
  }

  /** Lower-case hex. */
  digest(): string {
    const lines = this.partitions().map(
      ({ partition, events, sha256 }) => `${TOPICS.audit}/${partition} ${events} ${sha256}\n`,
    );
    return createHash('sha256').update(lines.join('')).digest('hex');
  }
}
