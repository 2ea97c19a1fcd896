import { defined } from '@residency/defined';
import type { ControlEvent } from './control-event.ts';
import type { NamedOwner } from './named-owner.ts';
import {
  ARBITER_CHANGED,
  ARBITER_CLAIMS,
  ARBITER_CLOSING,
  ARBITER_KEPT,
  CLAIMS_ENDED,
  SITE_IN,
  SITE_OUT,
  SITE_RETIRED,
} from './vocabulary.ts';

/** An identity that a record owns although the arbiter may not have its object. */
export interface ClaimedIdentity extends NamedOwner {
  readonly submission: string;
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
  readonly attempts: ReadonlyMap<string, readonly (readonly ClaimedIdentity[])[]>;
  /** Owners whose claims ended since: an attempt may have read the logs before. */
  readonly ended: ReadonlySet<string>;
}

/** Which sites of a region serve, and which of them arbitrates (docs/decisions/0041). */
export interface RegionService {
  /** The number of times that the arbiter changed. */
  readonly number: number;
  /** Absent: the first site of the policy. */
  readonly arbiter?: string;
  /** Sites that are out of service, with the append time of their order, milliseconds. */
  readonly out: ReadonlyMap<string, number>;
  /** Those of them that nobody expects back. */
  readonly retired: ReadonlySet<string>;
  readonly closing?: ArbiterClosing;
  /** By submission. Complete for the current number. */
  readonly claims: ReadonlyMap<string, ClaimedIdentity>;
  /** Claims of other owners of the same identities: one counts once those after it have ended. */
  readonly shadowed?: readonly ClaimedIdentity[] | undefined;
}

const SERVICE_TYPES = [
  ARBITER_CHANGED,
  ARBITER_CLAIMS,
  ARBITER_CLOSING,
  ARBITER_KEPT,
  CLAIMS_ENDED,
  SITE_IN,
  SITE_OUT,
  SITE_RETIRED,
] as const;
type ServiceEvent = Extract<ControlEvent, { readonly type: (typeof SERVICE_TYPES)[number] }>;

export function isServiceEvent(event: ControlEvent): event is ServiceEvent {
  return SERVICE_TYPES.some((type) => type === event.type);
}

export const ALL_IN_SERVICE: RegionService = {
  number: 0,
  out: new Map(),
  retired: new Set(),
  claims: new Map(),
};

/**
 * The service after one event. `at`: its append time, milliseconds. An event about a change that is
 * not the open one changes nothing: only the open change's order or its abort ends it.
 */
export function evolveService(
  service: RegionService,
  event: ServiceEvent,
  at: number,
): RegionService {
  const { closing, out, retired } = service;
  switch (event.type) {
    case ARBITER_CLOSING: {
      const { act, site, next, reason } = event.data;
      const isPossible =
        closing === undefined &&
        site !== next &&
        (service.arbiter ?? site) === site &&
        !out.has(next);
      return isPossible
        ? {
            ...service,
            closing: { act, site, next, reason, since: at, attempts: new Map(), ended: new Set() },
          }
        : service;
    }
    case ARBITER_CLAIMS: {
      const { act, attempt, claims } = event.data;
      if (closing?.act !== act) return service;
      const attempts = new Map(closing.attempts);
      attempts.set(attempt, [...(attempts.get(attempt) ?? []), claims]);
      return { ...service, closing: { ...closing, attempts } };
    }
    case ARBITER_CHANGED: {
      const { act, next, attempt, claims: count } = event.data;
      if (closing?.act !== act || closing.next !== next) return service;
      const claims = (closing.attempts.get(attempt) ?? []).flat();
      // An attempt whose claims did not all arrive decides nothing.
      if (claims.length !== count) return service;
      return {
        number: service.number + 1,
        arbiter: closing.next,
        out: new Map([...out, [closing.site, at]]),
        retired,
        ...claimsWithout(closing.ended, claims),
      };
    }
    case CLAIMS_ENDED: {
      const { owners } = event.data;
      return {
        ...service,
        ...claimsWithout(new Set(owners), allClaims(service)),
        ...(closing === undefined
          ? {}
          : { closing: { ...closing, ended: new Set([...closing.ended, ...owners]) } }),
      };
    }
    case ARBITER_KEPT:
      return closing?.act === event.data.act ? withoutClosing(service) : service;
    case SITE_OUT:
      return withoutSite(service, event.data.site, at);
    case SITE_RETIRED: {
      const { site } = event.data;
      const without = withoutSite(service, site, at);
      return without.out.has(site) ? { ...without, retired: new Set([...retired, site]) } : without;
    }
    case SITE_IN: {
      const { site } = event.data;
      return {
        ...service,
        out: new Map([...out].filter(([one]) => one !== site)),
        retired: new Set([...retired].filter((one) => one !== site)),
      };
    }
    default:
      return event satisfies never;
  }
}

/** True while the owner's claim of the identity has not ended, also if another owner's counts. */
export function hasClaim(
  service: RegionService,
  { submission, position }: { readonly submission: string; readonly position: string },
): boolean {
  return (
    service.claims.get(submission)?.of === position ||
    service.shadowed?.some((claim) => claim.submission === submission && claim.of === position) ===
      true
  );
}

/** A claim that counts is behind those that it shadows. */
function allClaims({ claims, shadowed = [] }: RegionService): readonly ClaimedIdentity[] {
  return [...shadowed, ...claims.values()];
}

/** Of two claims of one identity the last one counts. What has ended shadows none. */
function claimsWithout(
  ended: ReadonlySet<string>,
  all: readonly ClaimedIdentity[],
): Pick<RegionService, 'claims' | 'shadowed'> {
  const left = all.filter(({ of }) => !ended.has(of));
  const claims = new Map(left.map((claim) => [claim.submission, claim]));
  const shadowed = left.filter(({ submission, of }) => claims.get(submission)?.of !== of);
  return { claims, shadowed: shadowed.length === 0 ? undefined : shadowed };
}

/** The arbiter, and the one to come, stay. */
function withoutSite(service: RegionService, site: string, at: number): RegionService {
  const { arbiter, closing, out } = service;
  return site === arbiter || site === closing?.next || out.has(site)
    ? service
    : { ...service, out: new Map([...out, [site, at]]) };
}

function withoutClosing(service: RegionService): RegionService {
  const { number, arbiter, out, retired, claims, shadowed } = service;
  return { number, ...defined({ arbiter, shadowed }), out, retired, claims };
}

/**
 * The sites that serve, the arbiter first, the others in the policy's order. `sites`: the region's in
 * a policy version. The arbiter always serves, also if that version does not name it, or an order
 * names it among those out.
 */
export function sitesInService(
  { arbiter, out }: Pick<RegionService, 'arbiter' | 'out'>,
  sites: readonly string[],
): readonly string[] {
  const first = arbiter ?? sites[0];
  return [
    ...(first === undefined ? [] : [first]),
    ...sites.filter((site) => site !== first && !out.has(site)),
  ];
}
