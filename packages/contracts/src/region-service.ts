import { defined } from '@residency/defined';
import type { ControlEvent } from './control-event.ts';
import {
  ARBITER_CHANGED,
  ARBITER_CLAIMS,
  ARBITER_CLOSING,
  ARBITER_KEPT,
  SITE_IN,
  SITE_OUT,
} from './vocabulary.ts';

/** An identity that a record owns although the arbiter may not have its object. */
export interface ClaimedIdentity {
  readonly submission: string;
  /** `<log>/<topic>/<partition>/<offset>` of the owner. */
  readonly of: string;
  readonly sampleSha256: string;
  readonly country: string;
}

/** A change of the arbiter that has begun: no record of the region is placed until it ends. */
export interface ArbiterClosing {
  readonly act: string;
  /** The arbiter so far, and the one to come. */
  readonly site: string;
  readonly next: string;
  readonly reason: string;
  /** Append time, milliseconds. */
  readonly since: number;
  /** Claims by the attempt that wrote them. */
  readonly attempts: Readonly<Record<string, readonly (readonly ClaimedIdentity[])[]>>;
}

/** Which sites of a region serve, and which of them arbitrates (docs/decisions/0041). */
export interface RegionService {
  /** The number of times that the arbiter changed. */
  readonly number: number;
  /** Absent: the first site of the policy. */
  readonly arbiter?: string;
  /** Sites that are out of service, with the append time of their order, milliseconds. */
  readonly out: Readonly<Record<string, number>>;
  readonly closing?: ArbiterClosing;
  /** By submission. Complete for the current number. */
  readonly claims: ReadonlyMap<string, ClaimedIdentity>;
}

export type ServiceEvent = Extract<
  ControlEvent,
  {
    readonly type:
      | typeof ARBITER_CHANGED
      | typeof ARBITER_CLAIMS
      | typeof ARBITER_CLOSING
      | typeof ARBITER_KEPT
      | typeof SITE_IN
      | typeof SITE_OUT;
  }
>;

const SERVICE_TYPES: readonly string[] = [
  ARBITER_CHANGED,
  ARBITER_CLAIMS,
  ARBITER_CLOSING,
  ARBITER_KEPT,
  SITE_IN,
  SITE_OUT,
] satisfies readonly ServiceEvent['type'][];

export function isServiceEvent(event: ControlEvent): event is ServiceEvent {
  return SERVICE_TYPES.includes(event.type);
}

export const ALL_IN_SERVICE: RegionService = { number: 0, out: {}, claims: new Map() };

/**
 * The service after one event. `at`: its append time, milliseconds. An event about a change that is
 * not the open one changes nothing: only the open change's order or its abort ends it.
 */
export function evolveService(
  service: RegionService,
  event: ServiceEvent,
  at: number,
): RegionService {
  const { closing, out } = service;
  switch (event.type) {
    case ARBITER_CLOSING: {
      const { act, site, next, reason } = event.data;
      const isPossible =
        closing === undefined &&
        site !== next &&
        (service.arbiter ?? site) === site &&
        out[next] === undefined;
      return isPossible
        ? { ...service, closing: { act, site, next, reason, since: at, attempts: {} } }
        : service;
    }
    case ARBITER_CLAIMS: {
      const { act, attempt, claims } = event.data;
      if (closing?.act !== act) return service;
      const attempts = {
        ...closing.attempts,
        [attempt]: [...(closing.attempts[attempt] ?? []), claims],
      };
      return { ...service, closing: { ...closing, attempts } };
    }
    case ARBITER_CHANGED: {
      const { act, attempt, claims: count } = event.data;
      if (closing?.act !== act) return service;
      const claims = (closing.attempts[attempt] ?? []).flat();
      // An attempt whose claims did not all arrive decides nothing.
      if (claims.length !== count) return service;
      return {
        number: service.number + 1,
        arbiter: closing.next,
        out: { ...without(out, closing.next), [closing.site]: at },
        claims: new Map(claims.map((claim) => [claim.submission, claim])),
      };
    }
    case ARBITER_KEPT:
      return closing?.act === event.data.act ? withoutClosing(service) : service;
    case SITE_OUT:
      return event.data.site === service.arbiter || out[event.data.site] !== undefined
        ? service
        : { ...service, out: { ...out, [event.data.site]: at } };
    case SITE_IN:
      return { ...service, out: without(out, event.data.site) };
    default:
      return event satisfies never;
  }
}

function without(out: RegionService['out'], site: string): RegionService['out'] {
  return Object.fromEntries(Object.entries(out).filter(([name]) => name !== site));
}

function withoutClosing({ number, arbiter, out, claims }: RegionService): RegionService {
  return { number, ...defined({ arbiter }), out, claims };
}

/**
 * The sites that serve, the arbiter first, the others in the policy's order. `sites`: the region's
 * in the policy. The arbiter always serves: an order that names it among those out is not followed.
 */
export function sitesInService(
  { arbiter, out }: RegionService,
  sites: readonly string[],
): readonly string[] {
  const first = arbiter ?? sites[0];
  return [
    ...sites.filter((site) => site === first),
    ...sites.filter((site) => site !== first && out[site] === undefined),
  ];
}
