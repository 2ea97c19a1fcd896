import { SITE_MARKER_KEY, submissionOfKey, submissionOfSetAsideKey } from '@residency/contracts';
import type { Claims } from '../claims.ts';
import type { SiteReader } from '../ports/site-reader.ts';
import { printable } from '../printable.ts';
import type { Run } from '../run.ts';

/**
 * Most foreign keys of one site that are listed a second time. Further ones are reported at once.
 */
const MAX_FOREIGN = 10_000;

/** Lists the sites: first of all readings of a run, and once more for sites with foreign keys. */
export class SiteLists {
  readonly #run: Run;
  readonly #claims: Claims;
  /** Keys that no router writes, by site. */
  readonly #foreign = new Map<string, Set<string>>();

  constructor(run: Run, claims: Claims) {
    this.#run = run;
    this.#claims = claims;
  }

  async read(): Promise<void> {
    const { sites, deps, report } = this.#run;
    for (const [number, site] of sites.all.entries())
      await sites.at(site, () => this.#readSite(site, number));
    for (const name of deps.foreignSites)
      report.add({
        code: 'FOREIGN_SITE',
        site: printable(name),
        message:
          'Expected only sites that a policy names, found something else among them; see who put it there.',
      });
  }

  /** Lists sites with foreign keys again (RECONCILIATION §14). */
  async judgeForeign(): Promise<void> {
    const { sites } = this.#run;
    for (const site of sites.all) await sites.at(site, () => this.#judgeForeignIn(site));
  }

  async #readSite(reader: SiteReader, number: number): Promise<void> {
    const { site } = reader;
    for await (const { key, foreign } of reader.list()) {
      if (key === SITE_MARKER_KEY && !foreign) continue;
      const submission = foreign ? undefined : submissionOfKey(key);
      if (submission !== undefined) {
        if (this.#claims.addListed(submission, number)) this.#run.listed();
        continue;
      }
      const setAside = foreign ? undefined : submissionOfSetAsideKey(key);
      if (setAside !== undefined) {
        this.#claims.addSetAside(setAside, number);
        continue;
      }
      const known = this.#foreign.get(site) ?? new Set();
      this.#foreign.set(site, known);
      if (known.size < MAX_FOREIGN) known.add(key);
      else this.#addForeign(site, key);
    }
  }

  async #judgeForeignIn(reader: SiteReader): Promise<void> {
    const { site } = reader;
    const known = this.#foreign.get(site);
    if (known === undefined) return;
    for await (const { key } of reader.list()) {
      if (known.size === 0) return;
      if (known.delete(key)) this.#addForeign(site, key);
    }
  }

  #addForeign(site: string, key: string): void {
    this.#run.report.add({
      code: 'FOREIGN_OBJECT',
      site,
      key: printable(key),
      message:
        'Expected only sample objects in the site, found something no router writes; see who else may write there.',
    });
  }
}
