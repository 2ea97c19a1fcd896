import type { ControlState } from '@residency/contracts';
import type { Instant } from '@residency/residency';
import { ok, unknown, wrong } from '../check-result.ts';
import type { CheckResult } from '../check-result.ts';
import type { Limits } from '../limits.ts';
import { isLost } from '../ports/intake-log.ts';
import { secondsText } from '../seconds-text.ts';
import { unsettledIn } from '../snapshot.ts';
import type { IntakeFacts, PartitionFacts } from '../snapshot.ts';

const CHECK = 'progress';

/** Whether records are settled in time, and whether any were lost unsettled. */
export function judgeProgress(
  { at, partitions }: Pick<IntakeFacts, 'at' | 'partitions'>,
  mode: ControlState['mode'] | undefined,
  limits: Limits,
): readonly CheckResult[] {
  const lost = partitions.filter(isLost).map(judgeLost);
  const waiting = partitions.filter((one) => unsettledIn(one) > 0n);
  const untold = waiting.filter(({ oldestAt }) => oldestAt === undefined);
  const results = [
    ...lost,
    ...(untold.length === 0 ? [] : [judgeUntold(untold)]),
    ...judgeWaiting(waiting, mode, at, limits),
  ];
  const bad = results.filter(({ state }) => state !== 'ok');
  if (bad.length > 0) return bad;
  return results.length > 0
    ? results
    : [
        ok(
          CHECK,
          `all of ${partitions.length} partition${partitions.length === 1 ? '' : 's'} is settled`,
        ),
      ];
}

function judgeWaiting(
  waiting: readonly PartitionFacts[],
  mode: ControlState['mode'] | undefined,
  at: Instant,
  { outcomeAge }: Limits,
): readonly CheckResult[] {
  const [first] = waiting.toSorted((a, b) => (a.oldestAt ?? Infinity) - (b.oldestAt ?? Infinity));
  if (first?.oldestAt === undefined) return [];
  const age = Math.max(0, at - first.oldestAt);
  const found = `${offsetsOf(waiting)} not settled, the oldest record waits for ${secondsText(age)}${first.oldest === undefined ? '' : `, at ${first.oldest}`}`;
  if (age <= outcomeAge.seconds * 1_000) return [ok(CHECK, found)];
  return [
    wrong(
      CHECK,
      `${found}; the objective is ${outcomeAge.seconds} s`,
      mode === 'paused'
        ? 'Routing is paused.'
        : 'See whether routers run and what they wait for (/readyz, their logs).',
    ),
  ];
}

function judgeUntold(untold: readonly PartitionFacts[]): CheckResult {
  return unknown(
    CHECK,
    `${offsetsOf(untold)} not settled; since when is not known`,
    'Look again; if it stays, see whether a transaction is open: residency status.',
  );
}

function offsetsOf(partitions: readonly PartitionFacts[]): string {
  const count = partitions.reduce((sum, one) => sum + unsettledIn(one), 0n);
  return `${count.toLocaleString('en-US')} offset${count === 1n ? ' is' : 's are'}`;
}

function judgeLost({ partition, start, end, next }: PartitionFacts): CheckResult {
  return wrong(
    CHECK,
    next > end
      ? `partition ${partition} is settled up to ${next}, and the log ends at ${end}: it lost its end`
      : `partition ${partition} is settled up to ${next}, and the log begins at ${start}: records that nobody settled are gone`,
    'See docs/runbooks/ResidencyProgressLost.md before anything is reset.',
  );
}
