import {
  SAMPLE_COPIED,
  custodyEventIn,
  isWhereEvent,
  sampleEvent,
  serviceOf,
  sitesInService,
  storedSample,
} from '@residency/contracts';
import type { ControlState, CustodyEvent, RegionService, StoredEvent } from '@residency/contracts';
import { owedSites } from '@residency/custody';
import type { Holding } from '@residency/custody';
import { CustodyIndex } from '@residency/reconciliation';
import { formatInstant, policyInForce } from '@residency/residency';
import { interruptible } from '../terminal/interruptible.ts';
import type { Session } from '../terminal/session.ts';
import { controlOf } from './control-state.ts';
import type { System } from './system.ts';
import type { Whereabouts } from './whereabouts.ts';

/** The sites of a region now. */
export interface RegionSites {
  readonly service: RegionService;
  /** The arbiter first. */
  readonly serving: readonly string[];
}

/**
 * Where the stored samples of some regions are, by the custody events so far. Holds a few bytes for
 * each copy that a custodian made, and about 200 for each sample that was erased.
 */
export class Holdings {
  readonly #index = new CustodyIndex();
  readonly #regions = new Map<string, RegionSites>();
  /** When the first event of an erasure or a loss was made, by position and order. */
  readonly #endedAt = new Map<string, number>();

  static async open(
    session: Session,
    system: System,
    regions: ReadonlySet<string>,
  ): Promise<Holdings> {
    const holdings = new Holdings();
    const control = await controlOf(system);
    for (const [region, sites] of await regionSites(session, system, { control, regions }))
      holdings.#regions.set(region, sites);
    for await (const event of custodyEvents(session, system, regions)) {
      if (!isWhereEvent(event)) continue;
      holdings.#index.add(sampleEvent(event));
      if (event.type === SAMPLE_COPIED) continue;
      const name = endName(event.data.of, event.data);
      if (!holdings.#endedAt.has(name)) holdings.#endedAt.set(name, event.at);
    }
    return holdings;
  }

  of(event: StoredEvent): Holding {
    return this.#index.fold(storedSample(event)).holding;
  }

  whereabouts(event: StoredEvent): Whereabouts {
    const held = this.of(event);
    const { service, serving = [] } = this.#regions.get(held.region) ?? {};
    return {
      sites: held.copies.map(({ site }) => site).filter((site) => !service?.retired.has(site)),
      owed: owedSites(held, serving),
      ...(held.erased === undefined
        ? {}
        : { erased: { ...held.erased, at: this.#endedAtOf(held.position, held.erased) } }),
      ...(held.lost === undefined || held.erased !== undefined
        ? {}
        : { lost: { ...held.lost, at: this.#endedAtOf(held.position, held.lost) } }),
    };
  }

  #endedAtOf(position: string, end: { readonly order: string }): string {
    return formatInstant(this.#endedAt.get(endName(position, end)) ?? 0);
  }
}

function endName(of: string, { order }: { readonly order: string }): string {
  return `${of} ${order}`;
}

/** The sites of these regions now. */
export async function regionSites(
  session: Session,
  system: System,
  { control, regions }: { readonly control: ControlState; readonly regions: Iterable<string> },
): Promise<ReadonlyMap<string, RegionSites>> {
  const inForce = policyInForce(await system.policies(), session.now());
  return new Map(
    [...regions].map((region) => {
      const service = serviceOf(control, region);
      const named = inForce?.document.regions.find(({ id }) => id === region)?.sites ?? [];
      return [region, { service, serving: sitesInService(service, named) }];
    }),
  );
}

/** The events of these regions' custody logs. What is none, `reconcile` reports. */
export async function* custodyEvents(
  session: Session,
  system: System,
  regions: ReadonlySet<string>,
): AsyncGenerator<CustodyEvent> {
  for await (const value of interruptible(session, system.trail(() => regions).custody())) {
    const event = custodyEventIn(value);
    if (event !== undefined) yield event;
  }
}
