import { reconcile } from '@residency/reconciliation';
import type {
  AuditTrail,
  PolicyBook,
  ReadSealedHeader,
  ReadingProgress,
} from '@residency/reconciliation';
import type { ReconcilerMetrics } from '@residency/telemetry';
import type { Clock } from './clock.ts';
import type { SeenSites } from './look-at-sites.ts';
import { sumOf } from './reconciler-state.ts';
import type { ReconcilerState } from './reconciler-state.ts';
import type { StateKeeper } from './state-keeper.ts';
import type { Teller } from './teller.ts';

export interface RunTerms {
  readonly state: ReconcilerState;
  readonly keeper: Pick<StateKeeper, 'soon' | 'now'>;
  readonly teller: Teller;
  readonly metrics: ReconcilerMetrics;
  readonly clock: Clock;
  readonly readHeader: ReadSealedHeader;
  readonly trail: () => AuditTrail;
  /** Told of a site that went away, and is left out of the run. */
  readonly siteAway: (site: string, error: unknown) => void;
  /** Told once the log was read. */
  readonly logRead: () => void;
  /** The least time until the lists are looked over again, milliseconds. */
  readonly resurveyMs: number;
}

export interface EndedRun {
  /** It is time to look over the lists again; the passes go on. */
  readonly cut: boolean;
  readonly away: ReadonlySet<string>;
}

/** Objects are read ten times as long as the lists took to be looked over, at least. */
const READING_FOR_LOOKING = 10;

/**
 * One run of `reconcile` over the sites that are there. All lists are looked over; objects are read where a pass is due, from where it was.
 * Passes of sites that stayed to the end have ended with it, unless it is cut.
 */
export async function runOnce(
  terms: RunTerms,
  seen: SeenSites,
  policies: PolicyBook,
  due: readonly string[],
): Promise<EndedRun> {
  const { state, keeper, teller, metrics, clock } = terms;
  const run = state.begins(due, clock.now());
  // The begin must survive: what is checked from now on is checked since then.
  await keeper.now();
  const carried = new Map(due.map((site) => [site, state.carried([site])]));
  const away = new Set<string>();
  const began = clock.monotonic();
  let [surveyed, cut, until, listed, begun] = [false, false, Infinity, 0, 0];
  const progress = observed(
    state.progressOf(due),
    () => {
      begun += 1;
    },
    (site) => {
      metrics.checked(site);
      metrics.progress({ listed, checked: state.checked });
      keeper.soon();
    },
  );
  try {
    const report = await reconcile(
      {
        sites: seen.readers,
        foreignSites: seen.foreign,
        trail: terms.trail(),
        readHeader: terms.readHeader,
        sitesOf: (digest, region) => policies.sitesOf(digest, region),
        ruleHolds: (digest, claimed) => policies.ruleHolds(digest, claimed),
        learn: (digest) => policies.learn(digest),
      },
      {
        maxListed: 0,
        progress,
        away: seen.away.keys(),
        onProgress: (done, total) => {
          if (total !== undefined) return;
          listed = done;
          metrics.progress({ listed, checked: state.checked });
        },
        onDifference: (difference) => {
          teller.found(difference, run, surveyed);
        },
        onSiteAway: (site, error) => {
          away.add(site);
          terms.siteAway(site, error);
        },
        onSurveyed: () => {
          surveyed = true;
          terms.logRead();
          until =
            clock.monotonic() +
            Math.max(terms.resurveyMs, READING_FOR_LOOKING * (clock.monotonic() - began));
          teller.closed(state.surveyed(seen.there.difference(away), run));
          keeper.soon();
        },
        // Each run gets further, however long looking over takes.
        enough: () => (cut ||= begun > 0 && clock.monotonic() >= until),
      },
    );
    if (!cut)
      end(
        terms,
        due.filter((site) => !away.has(site)),
        (whole) =>
          sumOf([report.differences.byCode, ...whole.map((site) => carried.get(site) ?? {})]),
      );
  } finally {
    state.interrupted();
    await keeper.now();
  }
  return { cut, away };
}

function end(
  { state, teller, metrics }: RunTerms,
  whole: readonly string[],
  byCode: (whole: readonly string[]) => Readonly<Record<string, number>>,
): void {
  if (whole.length === 0) return;
  const { pass, closed } = state.ended(whole, byCode(whole));
  teller.closed(closed);
  teller.passEnded();
  metrics.passed(pass);
}

/** The same, told of each object before it is read and once it was compared. */
function observed(
  progress: ReadingProgress,
  begins: () => void,
  checked: (site: string) => void,
): ReadingProgress {
  return {
    isChecked: (object) => progress.isChecked(object),
    begins: (object) => {
      begins();
      const compared = progress.begins(object);
      return (found) => {
        compared(found);
        checked(object.site);
      };
    },
  };
}
