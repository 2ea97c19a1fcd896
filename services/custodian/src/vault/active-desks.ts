import type { AccessDesk } from '@residency/custodianship';

/** The desk of the custodian that is active in this process, of each region. */
export class ActiveDesks {
  readonly #desks = new Map<string, AccessDesk>();

  of(region: string): AccessDesk | undefined {
    return this.#desks.get(region);
  }

  /** Returns the call that ends it. */
  opened(region: string, desk: AccessDesk): () => void {
    this.#desks.set(region, desk);
    return () => {
      if (this.#desks.get(region) === desk) this.#desks.delete(region);
    };
  }
}
