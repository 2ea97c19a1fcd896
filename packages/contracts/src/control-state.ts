import { defined } from '@residency/defined';
import { controlEventIn } from './control-event.ts';
import type { ControlEvent } from './control-event.ts';
import type { LogRecord } from './log-record.ts';
import {
  ACT_FAILED,
  ALL_SERVICES,
  AUDIT_RESTORE_BEGUN,
  CLOCK_ACCEPTED,
  EXPORTED,
  EXPORT_BEGUN,
  INTAKE_DRAINING,
  KEY_ADD_BEGUN,
  KEY_RETIRE_BEGUN,
  LEDGER_KEY_CHANGE_BEGUN,
  LOG_LEVEL_SET,
  LOSS_ACCEPTED,
  NEW_LEDGER_BEGUN,
  OPEN_BEGUN,
  PUBLICATION_BEGUN,
  QUARANTINE_CLOSED,
  RECONCILE_OPEN_BEGUN,
  RECORD_SET_ASIDE,
  REDRIVE_BEGUN,
  ROUTING_PAUSED,
  ROUTING_RESUMED,
  SITE_REPAIR_ORDERED,
  TOPIC_ACCEPTED,
} from './vocabulary.ts';
import { evolveErasures, isErasureEvent } from './erasure-orders.ts';
import type { Erasures } from './erasure-orders.ts';
import { ALL_IN_SERVICE, evolveService, isServiceEvent } from './region-service.ts';
import type { RegionService } from './region-service.ts';
import type { CONTROL_LOG_LEVELS } from './vocabulary.ts';

export type ControlLogLevel = Exclude<(typeof CONTROL_LOG_LEVELS)[number], 'default'>;

/** An order to a region's custodian: check every copy in `site`, and make anew what is not good. */
export interface RepairOrder {
  /** Names the order; its closing event has it too. */
  readonly act: string;
  readonly region: string;
  readonly site: string;
  /** The most objects read in a second; absent: no limit. */
  readonly perSecond?: number | undefined;
}

/** An order to a region's custodian: give these samples up, if no site has a good copy. */
export interface LossOrder {
  /** Names the order; its closing event has it too. */
  readonly act: string;
  /** Append time of its event, milliseconds. */
  readonly at: number;
  readonly reason: string;
  readonly region: string;
  readonly submissions: readonly string[];
}

/** The state after the control events so far. */
export interface ControlState {
  /**
   * `paused`: routers settle nothing. `draining`: the intake accepts nothing, and routers settle
   * the remaining records.
   */
  readonly mode: 'running' | 'paused' | 'draining';
  /** The reason of the pause or of the draining. */
  readonly reason?: string;
  /**
   * Append time of the event that caused this mode, milliseconds; absent: the mode never changed.
   */
  readonly since?: number;
  /** Positions of records that block their partition and are to be quarantined; absent: none. */
  readonly setAside?: readonly string[];
  /** Orders to check every copy in a site, in their order, done or not; absent: none. */
  readonly repairs?: readonly RepairOrder[];
  /** What is ordered to be erased, and what is on hold; absent: nothing ever was. */
  readonly erasures?: Erasures;
  /** Orders to give samples up, in their order, done or not; absent: none. */
  readonly losses?: readonly LossOrder[];
  /** Sites out of service and changed arbiters by region; absent: all serve as the policy says. */
  readonly services?: Readonly<Record<string, RegionService>>;
  /** The number of records of the control log that were not control events; absent: none. */
  readonly passedOver?: number;
  /** Log levels by service, or `all`. */
  readonly logLevels: Readonly<Partial<Record<string, ControlLogLevel>>>;
}

/** Applies one event. `at`: its append time, milliseconds. The last event wins. */
export function evolveControl(state: ControlState, event: ControlEvent, at: number): ControlState {
  const { logLevels, setAside, repairs, erasures, losses, services, passedOver } = state;
  const kept = {
    logLevels,
    ...defined({ setAside, repairs, erasures, losses, services, passedOver }),
  };
  if (isServiceEvent(event)) {
    const { region } = event.data;
    return {
      ...state,
      services: { ...services, [region]: evolveService(serviceOf(state, region), event, at) },
    };
  }
  if (isErasureEvent(event))
    return { ...state, erasures: evolveErasures(state.erasures, event, at) };
  switch (event.type) {
    case ROUTING_PAUSED:
      return { mode: 'paused', reason: event.data.reason, since: at, ...kept };
    case INTAKE_DRAINING:
      return { mode: 'draining', reason: event.data.reason, since: at, ...kept };
    case ROUTING_RESUMED:
      return { mode: 'running', since: at, ...kept };
    case LOG_LEVEL_SET: {
      const { service, level } = event.data;
      // A level for all replaces the level of each single service.
      const others =
        service === ALL_SERVICES
          ? []
          : Object.entries(logLevels).filter(([name]) => name !== service);
      return {
        ...state,
        logLevels: Object.fromEntries(level === 'default' ? others : [...others, [service, level]]),
      };
    }
    case RECORD_SET_ASIDE:
      return { ...state, setAside: [...new Set([...(setAside ?? []), event.data.position])] };
    case SITE_REPAIR_ORDERED:
      return (repairs ?? []).some(({ act }) => act === event.data.act)
        ? state
        : { ...state, repairs: [...(repairs ?? []), event.data] };
    case LOSS_ACCEPTED:
      return (losses ?? []).some(({ act }) => act === event.data.act)
        ? state
        : { ...state, losses: [...(losses ?? []), { ...event.data, at }] };
    case TOPIC_ACCEPTED:
    case QUARANTINE_CLOSED:
    case CLOCK_ACCEPTED:
    case EXPORT_BEGUN:
    case EXPORTED:
    case OPEN_BEGUN:
    case RECONCILE_OPEN_BEGUN:
    case KEY_ADD_BEGUN:
    case KEY_RETIRE_BEGUN:
    case PUBLICATION_BEGUN:
    case REDRIVE_BEGUN:
    case LEDGER_KEY_CHANGE_BEGUN:
    case AUDIT_RESTORE_BEGUN:
    case NEW_LEDGER_BEGUN:
    case ACT_FAILED:
      return state;
    default:
      return event satisfies never;
  }
}

/**
 * The state after a record of the control log. A record that is not a control event is counted and
 * changes nothing else.
 */
export function followControl(state: ControlState, record: LogRecord): ControlState {
  const event = controlEventIn(record);
  return event === undefined
    ? { ...state, passedOver: (state.passedOver ?? 0) + 1 }
    : evolveControl(state, event, record.at);
}

/** Which sites of the region serve. */
export function serviceOf({ services = {} }: ControlState, region: string): RegionService {
  return Object.hasOwn(services, region) ? (services[region] ?? ALL_IN_SERVICE) : ALL_IN_SERVICE;
}

/** Sites that are out of service, of any region. */
export function sitesOut({ services = {} }: Pick<ControlState, 'services'>): ReadonlySet<string> {
  return new Set(Object.values(services).flatMap(({ out }) => [...out.keys()]));
}

/**
 * Sites that an order takes or took out of service. A region whose arbiter never changed counts with
 * a change that has begun only: an order cannot take its arbiter out otherwise, whatever it names.
 */
export function sitesLeaving({
  services = {},
}: Pick<ControlState, 'services'>): ReadonlySet<string> {
  return new Set(
    Object.values(services).flatMap(({ arbiter, out, closing }) => [
      ...(closing === undefined ? [] : [closing.site]),
      ...(arbiter === undefined ? [] : [...out.keys()].filter((site) => site !== arbiter)),
    ]),
  );
}

/** The sites out of service that somebody expects back. */
export function awaitedSites({
  services = {},
}: Pick<ControlState, 'services'>): ReadonlySet<string> {
  return new Set(
    Object.values(services).flatMap(({ out, retired }) =>
      [...out.keys()].filter((site) => !retired.has(site)),
    ),
  );
}

/** The level that was set for a service; `undefined`: its configuration's. */
export function logLevelOf(
  { logLevels }: ControlState,
  service: string,
): ControlLogLevel | undefined {
  return logLevels[service] ?? logLevels[ALL_SERVICES];
}
