import type { Undecided } from '@residency/observation';
import { pause } from '@residency/waiting';
import { KafkaLogError } from '../kafka-log-error.ts';
import type { WatchedWorker } from './stall-watch.ts';

export interface UndecidedWatchDeps {
  /** Open transactions of the intake log: the oldest of each partition that has one. */
  readonly undecided: () => Promise<readonly Undecided[]>;
  readonly workers: () => Iterable<WatchedWorker>;
  /** Called for a partition that waits for an open transaction, again at each check. */
  readonly waits: (error: KafkaLogError, partition: number) => void;
  /** Called once the partition does not wait any more. */
  readonly goesOn: (partition: number) => void;
  readonly lookEveryMs?: number;
}

/** Publishers' transactions usually end within seconds. */
const LOOK_EVERY_MS = 10_000;

/**
 * Detects partitions whose next record is hidden by a publisher's open transaction: they get no
 * records and no error. Runs until `signal` is aborted; never rejects.
 */
export async function watchUndecided(
  { undecided, workers, waits, goesOn, lookEveryMs = LOOK_EVERY_MS }: UndecidedWatchDeps,
  signal: AbortSignal,
): Promise<void> {
  let reported: readonly number[] = [];
  while (!signal.aborted) {
    await pause(lookEveryMs, signal);
    const before = performance.now() - lookEveryMs;
    const late = [...workers()].filter(
      ({ waiting }) => waiting !== undefined && waiting.since < before,
    );
    const open = late.length === 0 ? [] : await undecided().catch(() => undefined);
    // Kafka does not answer: the last report stays valid.
    if (open === undefined || signal.aborted) continue;
    const held = open.filter(({ partition, offset }) =>
      late.some(
        ({ partition: of, waiting }) =>
          of === partition && waiting !== undefined && waiting.from >= offset,
      ),
    );
    for (const one of held) waits(intakeUndecided(one), one.partition);
    for (const partition of reported)
      if (held.every((one) => one.partition !== partition)) goesOn(partition);
    reported = held.map(({ partition }) => partition);
  }
}

function intakeUndecided({ partition, offset, since }: Undecided): KafkaLogError {
  return new KafkaLogError({
    code: 'INTAKE_UNDECIDED',
    remedy: 'retry',
    message: `Expected the transactions of partition ${partition} of the intake log to end, found one open at offset ${offset}${since === undefined ? '' : ` since ${new Date(since).toISOString()}`}. Records after it wait, committed or not. Find its producer, or abort the transaction (docs/runbooks/ResidencyLogUndecided.md).`,
  });
}
