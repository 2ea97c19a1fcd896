import { defined } from '@residency/defined';
import type { PlacedObject, ReadingProgress, Difference } from '@residency/reconciliation';
import type { EndedPass } from '@residency/telemetry';
import { KnownDifferences } from './known-differences.ts';
import type { KnownDifference, OpenViolations } from './known-differences.ts';
import type { SavedState } from './saved-state.ts';
import { SitePass } from './site-pass.ts';

/** The log and cluster that a state belongs to. */
export interface StateOwner {
  readonly log: string;
  readonly cluster: string;
  /**
   * Every configured site with a name for its address. If the address changes, nothing counts as
   * checked.
   */
  readonly places: ReadonlyMap<string, string>;
}

interface Site {
  readonly place: string;
  checkedSince?: number;
  pass?: SitePass;
}

/**
 * The progress of the passes, one for each site, and the known differences. A pass over a site may
 * take many runs, across restarts and outages of the site; other sites do not wait for it.
 */
export class ReconcilerState {
  readonly #owner: StateOwner;
  readonly #sites: ReadonlyMap<string, Site>;
  readonly #differences: KnownDifferences;
  #runs: number;
  #byCode: Readonly<Record<string, number>>;

  /** `saved`: the state of the same log, if there is one. */
  constructor(owner: StateOwner, saved?: SavedState) {
    this.#owner = owner;
    this.#runs = saved?.runs ?? 0;
    this.#byCode = saved?.byCode ?? {};
    this.#differences = new KnownDifferences(saved?.findings ?? { named: [], beyond: [] });
    this.#sites = new Map(
      [...owner.places].map(([name, place]) => {
        const known = saved?.sites[name];
        if (known?.place !== place) return [name, { place }];
        return [
          name,
          {
            place,
            ...defined({ checkedSince: known.checkedSince }),
            ...(known.pass === undefined ? {} : { pass: new SitePass(known.pass) }),
          },
        ];
      }),
    );
  }

  /**
   * Forgets and returns the differences of sites that are no longer configured. Those of a site
   * that moved stay until a survey no longer finds them.
   */
  forgetOthers(): readonly KnownDifference[] {
    return this.#differences.forget((site) => this.#sites.has(site));
  }

  /**
   * The sites whose passes continue or begin now, and the time at which the next pass may begin
   * (wall clock). A pass in progress, and a site's first pass, do not wait. The others begin
   * together, so that one listing and one reading of the events serves them all.
   */
  due(
    sites: readonly string[],
    now: number,
    pauseMs: number,
  ): { readonly sites: readonly string[]; readonly nextAt: number } {
    const resting = sites.filter(
      (name) => this.#of(name).pass === undefined && this.#of(name).checkedSince !== undefined,
    );
    // If the clock was set back, do not wait for it.
    const nextAt = Math.max(
      ...resting
        .map((name) => this.#of(name).checkedSince ?? now)
        .map((since) => (since > now ? now : since + pauseMs)),
    );
    return {
      sites:
        resting.length > 0 && nextAt <= now
          ? sites
          : sites.filter((name) => !resting.includes(name)),
      nextAt: resting.length === 0 ? Infinity : nextAt,
    };
  }

  /**
   * Begins a run over these sites, with a new pass for each site without one. Returns the run's
   * number.
   */
  begins(sites: readonly string[], now: number): number {
    this.#runs += 1;
    this.#differences.beginsSurvey();
    for (const name of sites) {
      const site = this.#of(name);
      if (site.pass !== undefined) continue;
      site.pass = SitePass.begin(now, this.#runs);
      this.#differences.begins(name);
    }
    return this.#runs;
  }

  /** Objects of other sites count as checked: their pass is not due. */
  progressOf(sites: readonly string[]): ReadingProgress {
    const due = new Set(sites);
    const passOf = ({ site }: PlacedObject): SitePass | undefined =>
      due.has(site) ? this.#of(site).pass : undefined;
    return {
      isChecked: (object) => passOf(object)?.isChecked(object.partition, object.offset) ?? true,
      begins: (object) =>
        passOf(object)?.begins(object.partition, object.offset) ?? (() => undefined),
    };
  }

  /** Returns `true` if the difference is new. */
  found(difference: Difference, run: number, surveyed: boolean): boolean {
    return this.#differences.found(difference, run, surveyed);
  }

  /** The differences that a survey of these sites' lists no longer found. */
  surveyed(sites: ReadonlySet<string>, run: number): readonly KnownDifference[] {
    return this.#differences.surveyed(sites, run);
  }

  /** Differences in the objects that earlier runs of these sites' passes read. */
  carried(sites: readonly string[]): Readonly<Record<string, number>> {
    return sumOf(sites.map((site) => this.#of(site).pass?.save().byCode ?? {}));
  }

  /** The run ended, completely or not. Objects that were being read are read again. */
  interrupted(): void {
    for (const { pass } of this.#sites.values()) pass?.interrupted();
  }

  /** The passes of these sites ended with the run; `byCode`: all differences, by code. */
  ended(
    sites: readonly string[],
    byCode: Readonly<Record<string, number>>,
  ): { readonly pass: EndedPass; readonly closed: readonly KnownDifference[] } {
    this.#byCode = byCode;
    const closed: KnownDifference[] = [];
    const whole = sites.flatMap((name) => {
      const site = this.#of(name);
      if (site.pass === undefined) return [];
      closed.push(...this.#differences.passed(name, site.pass.run));
      site.checkedSince = site.pass.began;
      delete site.pass;
      return [{ site: name, began: site.checkedSince }];
    });
    return { pass: { sites: whole, byCode }, closed };
  }

  /** The results of the last complete passes. */
  get last(): EndedPass {
    return {
      sites: [...this.#sites].flatMap(([site, { checkedSince }]) =>
        checkedSince === undefined ? [] : [{ site, began: checkedSince }],
      ),
      byCode: this.#byCode,
    };
  }

  get open(): readonly OpenViolations[] {
    return this.#differences.open();
  }

  /** The number of objects checked in the passes in progress. */
  get checked(): number {
    return [...this.#sites.values()].reduce((sum, { pass }) => sum + (pass?.checked ?? 0), 0);
  }

  save(): SavedState {
    const { log, cluster } = this.#owner;
    const { named, beyond } = this.#differences.save();
    return {
      log,
      cluster,
      runs: this.#runs,
      byCode: { ...this.#byCode },
      findings: {
        named: named.map(([id, entry]) => [id, { ...entry }]),
        beyond: beyond.map((one) => ({ ...one })),
      },
      sites: Object.fromEntries(
        [...this.#sites].map(([name, { place, checkedSince, pass }]) => [
          name,
          {
            place,
            ...defined({ checkedSince }),
            ...(pass === undefined ? {} : { pass: { ...pass.save() } }),
          },
        ]),
      ),
    };
  }

  #of(name: string): Site {
    const site = this.#sites.get(name);
    if (site === undefined) throw new Error(`Expected a configured site, found ${name}: a defect.`);
    return site;
  }
}

export function sumOf(
  counts: readonly Readonly<Partial<Record<string, number>>>[],
): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const [code, more = 0] of counts.flatMap((one) => Object.entries(one)))
    sum[code] = (sum[code] ?? 0) + more;
  return sum;
}
