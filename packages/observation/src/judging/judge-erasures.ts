import { ok, wrong } from '../check-result.ts';
import type { CheckResult } from '../check-result.ts';
import type { Limits } from '../limits.ts';
import { secondsText } from '../seconds-text.ts';
import type { ErasureFacts } from '../snapshot.ts';

const CHECK = 'erasures';
const NEXT = 'docs/runbooks/ResidencyErasureWaiting.md';

/** Whether an order to erase samples has waited for long. */
export function judgeErasures(
  regions: readonly ErasureFacts[],
  { erasureWaiting }: Limits,
): readonly CheckResult[] {
  const late = regions.filter(({ forMs }) => forMs > erasureWaiting.seconds * 1_000);
  if (late.length > 0)
    return late.map(({ region, waiting, forMs }) =>
      wrong(CHECK, `${region}: ${waiting} wait, the oldest order for ${secondsText(forMs)}`, NEXT),
    );
  const waiting = regions.filter((one) => one.waiting > 0);
  return [
    ok(
      CHECK,
      waiting.length === 0
        ? 'none waits'
        : waiting.map((one) => `${one.region}: ${one.waiting} wait`).join(', '),
    ),
  ];
}
