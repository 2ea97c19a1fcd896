import type { ControlState } from '@residency/contracts';
import { formatInstant } from '@residency/residency';
import { ok, wrong } from '../check-result.ts';
import type { CheckResult } from '../check-result.ts';

const CHECK = 'control';

/** `reason` is what a person typed: make it printable before it is shown. */
export function judgeControl({ mode, reason = '', since }: ControlState): readonly CheckResult[] {
  const at = since === undefined ? '' : ` since ${formatInstant(since)}`;
  switch (mode) {
    case 'running':
      return [ok(CHECK, `running${at}`)];
    case 'paused':
      return [
        wrong(
          CHECK,
          `paused${at}: ${reason}`,
          'Nothing is routed; once the reason is gone: residency resume.',
        ),
      ];
    case 'draining':
      return [
        wrong(
          CHECK,
          `draining${at}: ${reason}`,
          'The intake takes nothing; once the reason is gone: residency resume.',
        ),
      ];
    default:
      return mode satisfies never;
  }
}
