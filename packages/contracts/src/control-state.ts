import {
  EXPORTED,
  EXPORT_BEGUN,
  INTAKE_DRAINING,
  LOG_LEVEL_SET,
  ROUTING_PAUSED,
  ROUTING_RESUMED,
  readControlRecord,
} from './control-event.ts';
import type { CONTROL_LOG_LEVELS, ControlEvent } from './control-event.ts';
import type { LogRecord } from './log-record.ts';

export type ControlLogLevel = Exclude<(typeof CONTROL_LOG_LEVELS)[number], 'default'>;

/** What the control events so far leave the system in. */
export interface ControlState {
  /** `paused`: routers settle nothing. `draining`: the intake takes nothing, routers settle what is there. */
  readonly mode: 'running' | 'paused' | 'draining';
  /** Of the pause or the draining. */
  readonly reason?: string;
  /** Append time of the event that left it so, milliseconds; absent: it was never otherwise. */
  readonly since?: number;
  /** By service, or `all`. */
  readonly logLevels: Readonly<Partial<Record<string, ControlLogLevel>>>;
}

/** A log level's service, for all of them. */
export const ALL_SERVICES = 'all';

export const INITIAL_CONTROL: ControlState = { mode: 'running', logLevels: {} };

/** `at`: the event's append time, milliseconds. The last word holds. */
export function evolveControl(state: ControlState, event: ControlEvent, at: number): ControlState {
  const { logLevels } = state;
  switch (event.type) {
    case ROUTING_PAUSED:
      return { mode: 'paused', reason: event.data.reason, since: at, logLevels };
    case INTAKE_DRAINING:
      return { mode: 'draining', reason: event.data.reason, since: at, logLevels };
    case ROUTING_RESUMED:
      return { mode: 'running', since: at, logLevels };
    case LOG_LEVEL_SET: {
      const { service, level } = event.data;
      // For all: also for those that had one of their own.
      const others =
        service === ALL_SERVICES
          ? []
          : Object.entries(logLevels).filter(([name]) => name !== service);
      return {
        ...state,
        logLevels: Object.fromEntries(level === 'default' ? others : [...others, [service, level]]),
      };
    }
    case EXPORT_BEGUN:
    case EXPORTED:
      return state;
    default:
      return event satisfies never;
  }
}

/** The state after a record of the control log; what is no control event changes nothing. */
export function followControl(state: ControlState, record: LogRecord): ControlState {
  let event: ControlEvent;
  try {
    event = readControlRecord(record);
  } catch {
    return state;
  }
  return evolveControl(state, event, record.at);
}

/** The level that was set for a service; `undefined`: its configuration's. */
export function logLevelOf(
  { logLevels }: ControlState,
  service: string,
): ControlLogLevel | undefined {
  return logLevels[service] ?? logLevels[ALL_SERVICES];
}
