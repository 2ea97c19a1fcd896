import {
  SAMPLE_COPIED,
  custodyEventIn,
  sampleCopied,
  serviceOf,
  sitesInService,
  storedSample,
} from '@residency/contracts';
import type { CustodyEvent, RegionService, StoredEvent } from '@residency/contracts';
import { owedSites } from '@residency/custody';
import type { Holding } from '@residency/custody';
import { CustodyIndex } from '@residency/reconciliation';
import { policyInForce } from '@residency/residency';
import { interruptible } from '../terminal/interruptible.ts';
import type { Session } from '../terminal/session.ts';
import { controlOf } from './control-state.ts';
import type { System } from './system.ts';
import type { Whereabouts } from './whereabouts.ts';

interface RegionSites {
  readonly service: RegionService;
  readonly serving: readonly string[];
}

/**
 * Where the stored samples of some regions are, by the custody events so far. Holds a few bytes for
 * each copy that a custodian made.
 */
export class Holdings {
  readonly #index = new CustodyIndex();
  readonly #regions = new Map<string, RegionSites>();

  static async open(
    session: Session,
    system: System,
    regions: ReadonlySet<string>,
  ): Promise<Holdings> {
    const holdings = new Holdings();
    const inForce = policyInForce(await system.policies(), session.now());
    const control = await controlOf(system);
    for (const region of regions) {
      const service = serviceOf(control, region);
      const named = inForce?.document.regions.find(({ id }) => id === region)?.sites ?? [];
      holdings.#regions.set(region, { service, serving: sitesInService(service, named) });
    }
    for await (const event of custodyEvents(session, system, regions))
      if (event.type === SAMPLE_COPIED) holdings.#index.add(sampleCopied(event));
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
    };
  }
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
