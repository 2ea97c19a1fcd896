import type { IntakeProgress } from '@residency/adapter-kafka';
import type { ControlState } from '@residency/contracts';
import { grouped } from '../table.ts';
import { ok, wrong } from './finding.ts';
import type { Finding } from './finding.ts';
import { secondsText } from './seconds-text.ts';

const CHECK = 'progress';
/** Longer than a router takes over from another, or a store is away for a moment. */
const STUCK_MS = 300_000;

/** A partition, and since when its oldest unsettled record waits; absent: none does. */
export interface PartitionProgress extends IntakeProgress {
  readonly oldestAt?: number;
}

export function judgeProgress(
  partitions: readonly PartitionProgress[],
  { mode, now }: { readonly mode: ControlState['mode']; readonly now: number },
): readonly Finding[] {
  const lost = partitions.flatMap((progress) => lostOf(progress));
  const waiting = partitions.flatMap(({ oldestAt }) => oldestAt ?? []);
  const lag = partitions
    .filter(({ oldestAt }) => oldestAt !== undefined)
    .reduce((sum, { start, end, next }) => sum + Number(end - (next < start ? start : next)), 0);
  if (waiting.length === 0)
    return [
      ...lost,
      ...(lost.length > 0 ? [] : [ok(CHECK, `all of ${partitions.length} partitions is settled`)]),
    ];
  const oldest = Math.max(0, now - Math.min(...waiting));
  const found = `${grouped(lag)} offsets are not settled, the oldest record waits for ${secondsText(oldest)}`;
  if (oldest <= STUCK_MS) return [...lost, ...(lost.length > 0 ? [] : [ok(CHECK, found)])];
  return [
    ...lost,
    wrong(
      CHECK,
      found,
      mode === 'paused'
        ? 'Routing is paused.'
        : 'See whether routers run and what they wait for (/readyz, their logs).',
    ),
  ];
}

function lostOf({ partition, start, end, next }: PartitionProgress): readonly Finding[] {
  const restart =
    "See docs/formats/position.md and the routers' logs (PROGRESS_LOST) before anything is reset.";
  if (next > end)
    return [
      wrong(
        CHECK,
        `partition ${partition} is settled up to ${next}, and the log ends at ${end}: it lost its end`,
        restart,
      ),
    ];
  if (next < start)
    return [
      wrong(
        CHECK,
        `partition ${partition} is settled up to ${next}, and the log begins at ${start}: records that nobody settled are gone`,
        restart,
      ),
    ];
  return [];
}
