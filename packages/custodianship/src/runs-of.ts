import type { OffsetSet } from './offset-set.ts';

/** Wanted records of one partition that one reading goes through. */
export interface Run {
  readonly partition: number;
  /** The first and the last wanted offset. */
  readonly from: bigint;
  readonly to: bigint;
  readonly wanted: OffsetSet;
  /** Wanted offsets from the first to the last. */
  readonly count: number;
}

/** On Kafka a new reading takes as long as so many records in order (docs/evidence/custody.md). */
const GAP = 2_000n;

/** Readings that go through all wanted offsets, and jump over what lies far between them. */
export function runsOf(partition: number, wanted: OffsetSet): readonly Run[] {
  const runs: { from: bigint; to: bigint; count: number }[] = [];
  for (const offset of wanted.offsets()) {
    const run = runs.at(-1);
    if (run !== undefined && offset - run.to <= GAP) {
      run.to = offset;
      run.count += 1;
    } else runs.push({ from: offset, to: offset, count: 1 });
  }
  return runs.map((run) => ({ partition, wanted, ...run }));
}
