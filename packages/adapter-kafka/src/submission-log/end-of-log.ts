import { TOPICS } from '@residency/contracts';
import type { IntakeReads } from './intake-reads.ts';

/** The partitions that have not reached the log's end as of the construction. */
export class EndOfLog {
  readonly #ends: Map<number, bigint>;

  private constructor(ends: Map<number, bigint>) {
    this.#ends = ends;
  }

  static async find(reads: IntakeReads): Promise<EndOfLog> {
    const committed = await reads.committed();
    const bounds = await reads.bounds(TOPICS.samples);
    // Without a committed position, the audit log may hold one, even if the intake log is empty.
    // Then the partition's owner looks it up.
    const open = [...bounds].filter(
      ([partition, { end }]) => end > (committed.get(partition) ?? 0n),
    );
    return new EndOfLog(new Map(open.map(([partition, { end }]) => [partition, end])));
  }

  get reached(): boolean {
    return this.#ends.size === 0;
  }

  /** Everything before `next` is settled, or markers and aborted records. */
  note(partition: number, next: bigint): void {
    if (next >= (this.#ends.get(partition) ?? Infinity)) this.#ends.delete(partition);
  }
}
