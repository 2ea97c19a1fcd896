import { ok, wrong } from '../check-result.ts';
import type { CheckResult } from '../check-result.ts';
import type { AppendTimeLead } from '../broker-clocks.ts';
import type { Limits } from '../limits.ts';
import { secondsText } from '../seconds-text.ts';

const CHECK = 'append times';
const NEXT =
  "A broker's clock is wrong, or this one: set both by NTP. What was stamped meanwhile: docs/runbooks/ResidencyClockWrong.md";

/** Whether the brokers stamp records with about the time of the observer's clock. */
export function judgeAppendTimes(
  leads: readonly AppendTimeLead[],
  { appendTimeAhead, appendTimeBehind }: Limits,
): readonly CheckResult[] {
  const far = leads.filter(
    ({ aheadMs }) =>
      aheadMs > appendTimeAhead.seconds * 1_000 || aheadMs < -appendTimeBehind.seconds * 1_000,
  );
  if (far.length === 0) return [ok(CHECK, "none is far from this machine's clock")];
  return far.map(({ topic, partition, aheadMs }) =>
    wrong(
      CHECK,
      `those of partition ${partition} of ${topic} are at least ${secondsText(Math.abs(aheadMs))} ${aheadMs > 0 ? 'ahead of' : 'behind'} this machine's clock`,
      NEXT,
    ),
  );
}
