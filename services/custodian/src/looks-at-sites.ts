import { remedyOf } from '@residency/coded-error';
import type { CustodianSites } from '@residency/custodianship';

/**
 * Opens sites that owe nothing too, once this process leads: a site that is refused is noticed then, and
 * not when a sample in it is to be erased. A site that does not answer is opened when it is needed.
 */
export class LooksAtSites {
  readonly #sites: CustodianSites;
  readonly #refusals: unknown[] = [];

  constructor(sites: CustodianSites) {
    this.#sites = sites;
  }

  /** Resolves once each site is open, is refused or does not answer. Never rejects. */
  async look(names: readonly string[]): Promise<void> {
    await Promise.all(
      names.map(async (name) => {
        try {
          await this.#sites.site(name);
        } catch (error) {
          if (remedyOf(error) !== 'retry') this.#refusals.push(error);
        }
      }),
    );
  }

  /** Throws the first refusal that a look has found. */
  requireNoneRefused(): void {
    if (this.#refusals.length > 0) throw this.#refusals[0];
  }
}
