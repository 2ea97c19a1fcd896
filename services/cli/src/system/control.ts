import { randomUUID } from 'node:crypto';
import { codeOf, hasCode, remedyOf } from '@residency/coded-error';
import { ACT_FAILED, awaitedSites, controlEntry } from '@residency/contracts';
import type { ControlEvent, ControlState, LogEntry, Position } from '@residency/contracts';
import { defined } from '@residency/defined';
import { formatInstant } from '@residency/residency';
import { CliError, usage } from '../terminal/cli-error.ts';
import { principalOf } from './principal.ts';
import { newSalt } from './salt.ts';
import type { Session } from '../terminal/session.ts';
import type { System } from './system.ts';

/**
 * A control event with its principal. Make it before anything is opened. Throws `USAGE` for a
 * reason that could not be read back.
 */
export function controlEvent({ env }: Pick<Session, 'env'>, event: ControlEvent): LogEntry {
  const principal = principalOf(env);
  try {
    return controlEntry({ ...event, principal }, randomUUID(), newSalt());
  } catch (error) {
    if (!hasCode(error, 'INVALID_CONTROL_EVENT')) throw error;
    throw usage(
      'Expected --reason of 1 to 200 characters, none of them a control character, found something else; nothing was changed.',
    );
  }
}

/**
 * Performs an action that must leave a trace. Appends the event of `begun` first, and a second
 * event if the action fails. Throws `NOT_RECORDED`, without acting, if the first cannot be
 * appended.
 */
export async function recorded<T>(
  session: Pick<Session, 'env'>,
  system: Pick<System, 'append'>,
  begun: (act: string) => ControlEvent,
  work: (begun: Position) => Promise<T>,
): Promise<T> {
  const act = randomUUID();
  const position = await record(session, system, begun(act));
  try {
    return await work(position);
  } catch (error) {
    // Without it the trace says that it may have been done; the caller has to hear why it was not.
    await system
      .append([
        controlEvent(session, { type: ACT_FAILED, data: { act, code: codeOf(error) ?? 'DEFECT' } }),
      ])
      .catch(() => undefined);
    throw error;
  }
}

/**
 * For what leaves further traces of how far it came. Throws `NOT_RECORDED`: then it must not begin.
 */
export async function record(
  session: Pick<Session, 'env'>,
  system: Pick<System, 'append'>,
  begun: ControlEvent,
): Promise<Position> {
  const entry = controlEvent(session, begun);
  try {
    const [position] = await system.append([entry]);
    if (position !== undefined) return position;
  } catch (cause) {
    if (hasCode(cause, 'READ_ONLY')) throw cause;
    throw notRecorded(cause);
  }
  throw notRecorded(undefined);
}

function notRecorded(cause: unknown): CliError {
  const why =
    codeOf(cause) === undefined || !(cause instanceof Error)
      ? 'that it can not be appended to'
      : `what follows (${codeOf(cause)}): ${cause.message}`;
  return new CliError({
    code: 'NOT_RECORDED',
    message: `Expected to record on residency.control what is about to be done; nothing was done, because of ${why}`,
    remedy: remedyOf(cause) === 'retry' ? 'retry' : 'stop',
    cause,
  });
}

export function controlJson({
  mode,
  reason,
  since,
  logLevels,
  services = {},
}: ControlState): object {
  return {
    mode,
    ...defined({ reason }),
    ...(since === undefined ? {} : { since: formatInstant(since) }),
    logLevels,
    sitesOut: [...awaitedSites({ services })],
    sitesRetired: Object.values(services).flatMap(({ retired }) => [...retired]),
    arbitersChanging: Object.keys(services).filter(
      (region) => services[region]?.closing !== undefined,
    ),
  };
}
