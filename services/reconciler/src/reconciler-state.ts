import type { PlacedObject, ReadingProgress, Difference } from '@residency/reconciliation';
import type { EndedPass } from '@residency/telemetry';
import { Findings } from './findings.ts';
import type { Finding, OpenViolations } from './findings.ts';
import type { SavedState } from './saved-state.ts';
import { SitePass } from './site-pass.ts';

/** What a state belongs to. */
export interface StateOwner {
  readonly log: string;
  readonly cluster: string;
  /** Every configured site with a name for where it is: at another place nothing of it was checked. */
  readonly places: ReadonlyMap<string, string>;
}

interface Site {
  readonly place: string;
  checkedSince?: number;
  pass?: SitePass;
}

/**
 * How far the passes are, a site each, and what is known to differ. A pass over a site takes as many runs as it takes, across restarts
 * and while the site is away; the others do not wait for it.
 */
export class ReconcilerState {
  readonly #owner: StateOwner;
  readonly #sites: ReadonlyMap<string, Site>;
  readonly #findings: Findings;
  #runs: number;
  #byCode: Readonly<Record<string, number>>;

  /** `saved`: of the same log, or none. */
  constructor(owner: StateOwner, saved?: SavedState) {
    this.#owner = owner;
    this.#runs = saved?.runs ?? 0;
    this.#byCode = saved?.byCode ?? {};
    this.#findings = new Findings(saved?.findings ?? { named: [], beyond: [] });
    this.#sites = new Map(
      [...owner.places].map(([name, place]) => {
        const known = saved?.sites[name];
        if (known?.place !== place) return [name, { place }];
        return [
          name,
          {
            place,
            ...(known.checkedSince === undefined ? {} : { checkedSince: known.checkedSince }),
            ...(known.pass === undefined ? {} : { pass: new SitePass(known.pass) }),
          },
        ];
      }),
    );
  }

  /** Forgets findings in sites that are configured no more; gives them. Those of a site that is elsewhere now stand until a look at it no longer finds them. */
  forgetOthers(): readonly Finding[] {
    return this.#findings.forget((site) => this.#sites.has(site));
  }

  /**
   * Which of these sites' passes go on or begin now, and when the next one may, wall clock. A pass under way, and a site's first one, wait
   * for nothing; the others begin together, so that one listing and one reading of the events serves them all.
   */
  due(
    sites: readonly string[],
    now: number,
    pauseMs: number,
  ): { readonly sites: readonly string[]; readonly nextAt: number } {
    const resting = sites.filter(
      (name) => this.#of(name).pass === undefined && this.#of(name).checkedSince !== undefined,
    );
    // A clock that was set back makes nobody wait.
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

  /** Begins a run over these sites, with a new pass where none is under way. Its number. */
  begins(sites: readonly string[], now: number): number {
    this.#runs += 1;
    this.#findings.looksAnew();
    for (const name of sites) {
      const site = this.#of(name);
      if (site.pass !== undefined) continue;
      site.pass = SitePass.begin(now, this.#runs);
      this.#findings.begins(name);
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

  /** `true`: it is new. */
  found(difference: Difference, run: number, surveyed: boolean): boolean {
    return this.#findings.found(difference, run, surveyed);
  }

  /** What a run that looked over the lists of these sites no longer found. */
  surveyed(sites: ReadonlySet<string>, run: number): readonly Finding[] {
    return this.#findings.surveyed(sites, run);
  }

  /** Differences in the objects that earlier runs of these sites' passes read. */
  carried(sites: readonly string[]): Readonly<Record<string, number>> {
    return sumOf(sites.map((site) => this.#of(site).pass?.save().byCode ?? {}));
  }

  /** The run ended, whole or not: what was in work is read again. */
  interrupted(): void {
    for (const { pass } of this.#sites.values()) pass?.interrupted();
  }

  /** The passes of these sites ended with the run; `byCode`: all that differed. */
  ended(
    sites: readonly string[],
    byCode: Readonly<Record<string, number>>,
  ): { readonly pass: EndedPass; readonly closed: readonly Finding[] } {
    this.#byCode = byCode;
    const closed: Finding[] = [];
    const whole = sites.flatMap((name) => {
      const site = this.#of(name);
      if (site.pass === undefined) return [];
      closed.push(...this.#findings.passed(name, site.pass.run));
      site.checkedSince = site.pass.began;
      delete site.pass;
      return [{ site: name, began: site.checkedSince }];
    });
    return { pass: { sites: whole, byCode }, closed };
  }

  /** How the last whole passes ended. */
  get last(): EndedPass {
    return {
      sites: [...this.#sites].flatMap(([site, { checkedSince }]) =>
        checkedSince === undefined ? [] : [{ site, began: checkedSince }],
      ),
      byCode: this.#byCode,
    };
  }

  get open(): readonly OpenViolations[] {
    return this.#findings.open();
  }

  /** Objects checked in the passes under way. */
  get checked(): number {
    return [...this.#sites.values()].reduce((sum, { pass }) => sum + (pass?.checked ?? 0), 0);
  }

  save(): SavedState {
    const { log, cluster } = this.#owner;
    const { named, beyond } = this.#findings.save();
    return {
      log,
      cluster,
      runs: this.#runs,
      byCode: { ...this.#byCode },
      findings: {
        named: named.map(([id, finding]) => [id, { ...finding }]),
        beyond: beyond.map((one) => ({ ...one })),
      },
      sites: Object.fromEntries(
        [...this.#sites].map(([name, { place, checkedSince, pass }]) => [
          name,
          {
            place,
            ...(checkedSince === undefined ? {} : { checkedSince }),
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
