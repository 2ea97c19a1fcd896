import type { ControlState } from '@residency/contracts';
import { CliError } from '../terminal/cli-error.ts';
import { printable } from '../terminal/output.ts';
import type { System } from './system.ts';

/**
 * The control state after every event appended before the call. Each call reads the log from its
 * start; callers that ask repeatedly keep a `controlView`.
 */
export async function controlOf(system: Pick<System, 'controlView'>): Promise<ControlState> {
  return await (await system.controlView()).read();
}

/**
 * Throws `DRAINING` while people drain the system: what is appended then would never let them end.
 */
export function refuseDraining({ mode, reason = '' }: ControlState): void {
  if (mode !== 'draining') return;
  const message = `Expected a system that takes submissions, found it drained (${printable(reason)}); nothing more was published. Publish the rest again after \`residency resume\`.`;
  throw new CliError({ code: 'DRAINING', message, remedy: 'retry' });
}
