import { remedyOf } from '@residency/coded-error';
import type { SiteReader } from './ports/site-reader.ts';

export interface ReachableSitesOptions {
  /** Sites that are known to be unreachable; they are left out from the start. */
  readonly unreachable?: Iterable<string> | undefined;
  /** Called once for each site that becomes unreachable. Absent: its error ends the run. */
  readonly onSiteUnreachable?: ((site: string, error: unknown) => void) | undefined;
}

/** The sites of a run. One that becomes unreachable is left out from then on. */
export class ReachableSites {
  readonly all: readonly SiteReader[];
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #unreachable: Set<string>;
  readonly #onSiteUnreachable: ((site: string, error: unknown) => void) | undefined;

  constructor(
    all: readonly SiteReader[],
    { unreachable, onSiteUnreachable }: ReachableSitesOptions,
  ) {
    this.all = all;
    this.#numbers = new Map(all.map(({ site }, number) => [site, number]));
    this.#unreachable = new Set(unreachable);
    this.#onSiteUnreachable = onSiteUnreachable;
  }

  /** The index in `all`; `undefined`: not a site of this run. */
  numberOf(site: string): number | undefined {
    return this.#numbers.get(site);
  }

  /** The indexes of those that are sites of this run. */
  numbersOf(sites: Iterable<string>): readonly number[] {
    return [...sites]
      .map((site) => this.#numbers.get(site))
      .filter((number) => number !== undefined);
  }

  reader(site: string): SiteReader | undefined {
    return this.all[this.#numbers.get(site) ?? -1];
  }

  isUnreachable(site: string): boolean {
    return this.#unreachable.has(site);
  }

  /**
   * Runs `work` unless the site is unreachable. If it fails with remedy `retry` and
   * `onSiteUnreachable` is set, the site becomes unreachable; any other error is thrown.
   */
  async at({ site }: SiteReader, work: () => Promise<void>): Promise<void> {
    if (this.#unreachable.has(site)) return;
    try {
      await work();
    } catch (error) {
      if (this.#onSiteUnreachable === undefined || remedyOf(error) !== 'retry') throw error;
      if (this.#unreachable.has(site)) return;
      this.#unreachable.add(site);
      this.#onSiteUnreachable(site, error);
    }
  }
}
