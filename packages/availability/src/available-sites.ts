import type { ObjectMetadata } from '@residency/contracts';
import type {
  CreateOptions,
  CreateResult,
  ObjectHead,
  ObjectStore,
  Owable,
  Sites,
} from '@residency/routing';
import { SiteAvailability } from './site-availability.ts';
import type { AvailabilityOptions } from './site-availability.ts';
import { SiteService } from './site-service.ts';

/**
 * Sites whose `owable` calls end soon, however slow a site is. Every call ends if an order takes the
 * site out of service: a site that hangs must not delay the change of a region's arbiter.
 */
export class AvailableSites implements Sites {
  readonly #sites: Sites;
  readonly #options: AvailabilityOptions;
  readonly #availability = new Map<string, Availability>();
  readonly #stores = new WeakMap<ObjectStore, ObjectStore>();

  constructor(sites: Sites, options: AvailabilityOptions) {
    this.#sites = sites;
    this.#options = options;
  }

  async store(site: string, region: string, options: Owable = {}): Promise<ObjectStore> {
    const availability = this.#of(site);
    const open = (): Promise<ObjectStore> => this.#sites.store(site, region);
    // An order that ends a call is no failure of the site.
    const opened = await availability.service.call(() =>
      options.owable === true ? availability.writes.open(open) : open(),
    );
    let store = this.#stores.get(opened);
    if (store === undefined)
      this.#stores.set(opened, (store = new AvailableStore(opened, availability)));
    return store;
  }

  /** From now on exactly these sites leave. `sitesLeaving` of the control state. */
  leave(sites: ReadonlySet<string>): void {
    for (const site of sites) this.#of(site);
    for (const [site, { service }] of this.#availability) service.leaves(sites.has(site));
  }

  #of(site: string): Availability {
    let availability = this.#availability.get(site);
    if (availability === undefined)
      this.#availability.set(
        site,
        (availability = {
          service: new SiteService(site),
          writes: new SiteAvailability(site, this.#options),
          // A site that answers reads while its writes hang is left out for writes all the same.
          reads: new SiteAvailability(site, { ...this.#options, onChange: () => undefined }),
        }),
      );
    return availability;
  }
}

interface Availability {
  readonly service: SiteService;
  readonly writes: SiteAvailability;
  readonly reads: SiteAvailability;
}

class AvailableStore implements ObjectStore {
  readonly site: string;
  readonly #store: ObjectStore;
  readonly #availability: Availability;

  constructor(store: ObjectStore, availability: Availability) {
    this.site = store.site;
    this.#store = store;
    this.#availability = availability;
  }

  async create(
    key: string,
    sealed: Uint8Array,
    metadata: ObjectMetadata,
    options: CreateOptions = {},
  ): Promise<CreateResult> {
    const { service, writes } = this.#availability;
    const create = (): Promise<CreateResult> => this.#store.create(key, sealed, metadata, options);
    return await service.call(() => (options.owable === true ? writes.attempt(create) : create()));
  }

  async head(key: string, options: Owable = {}): Promise<ObjectHead | undefined> {
    const { service, reads } = this.#availability;
    const head = (): Promise<ObjectHead | undefined> => this.#store.head(key, options);
    return await service.call(() => (options.owable === true ? reads.attempt(head) : head()));
  }

  async flush(options: Owable = {}): Promise<void> {
    const { service, writes } = this.#availability;
    const flush = (): Promise<void> => this.#store.flush(options);
    await service.call(() => (options.owable === true ? writes.follow(flush) : flush()));
  }
}
