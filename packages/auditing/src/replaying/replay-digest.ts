import { createHash } from 'node:crypto';
import type { Hash } from 'node:crypto';
import { TOPICS } from '@residency/contracts';

export interface PartitionDigest {
  readonly partition: number;
  readonly events: number;
  /** Lower-case hex SHA-256 over the events in their order, each behind its length as a big-endian uint32. */
  readonly sha256: string;
}

/**
 * Names what was replayed (docs/formats/audit-event.md "Replay digest"): the same for every reader that sees the same
 * events in each partition's order, however it interleaves partitions.
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

  /** By partition number. More may be added afterwards. */
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
