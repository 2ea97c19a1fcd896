import { randomUUID } from 'node:crypto';
import { hasCode } from '@residency/coded-error';
import { INITIAL_CONTROL, controlEntry, followControl } from '@residency/contracts';
import type { ControlEvent, ControlState, LogEntry } from '@residency/contracts';
import { formatInstant } from '@residency/residency';
import { usage } from './cli-error.ts';
import type { System } from './system.ts';

/** What the control log's events so far leave a system in. */
export async function controlOf(system: Pick<System, 'controlLog'>): Promise<ControlState> {
  let state = INITIAL_CONTROL;
  for await (const record of system.controlLog()) state = followControl(state, record);
  return state;
}

/** To be made before anything is opened. Throws `USAGE` for a reason that nobody could read back. */
export function controlEvent(event: ControlEvent): LogEntry {
  try {
    return controlEntry(event, randomUUID());
  } catch (error) {
    if (!hasCode(error, 'INVALID_CONTROL_EVENT')) throw error;
    throw usage(
      'Expected --reason of 1 to 200 characters, none of them a control character, found something else; nothing was changed.',
    );
  }
}

export function controlJson({ mode, reason, since, logLevels }: ControlState): object {
  return {
    mode,
    ...(reason === undefined ? {} : { reason }),
    ...(since === undefined ? {} : { since: formatInstant(since) }),
    logLevels,
  };
}
