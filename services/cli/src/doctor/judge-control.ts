import type { ControlState } from '@residency/contracts';
import { formatInstant } from '@residency/residency';
import { printable } from '../output.ts';
import { ok, wrong } from './finding.ts';
import type { Finding } from './finding.ts';

const CHECK = 'control';

export function judgeControl({ mode, reason = '', since }: ControlState): Finding {
  const at = since === undefined ? '' : ` since ${formatInstant(since)}`;
  switch (mode) {
    case 'running':
      return ok(CHECK, `running${at}`);
    case 'paused':
      return wrong(
        CHECK,
        `paused${at}: ${printable(reason)}`,
        'Nothing is routed; once the reason is gone: residency resume.',
      );
    case 'draining':
      return wrong(
        CHECK,
        `draining${at}: ${printable(reason)}`,
        'The intake takes nothing; once the reason is gone: residency resume.',
      );
    default:
      return mode satisfies never;
  }
}
