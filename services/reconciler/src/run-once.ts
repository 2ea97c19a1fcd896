import type { Erasures, LossOrder, ServiceHistory } from '@residency/contracts';
import { RepairableCopies, reconcile } from '@residency/reconciliation';
import type {
  AuditTrail,
  PolicyBook,
  ReadSealedHeader,
  ReadingProgress,
} from '@residency/reconciliation';
import type { ReconcilerMetrics } from '@residency/telemetry';
import type { Clock } from './clock.ts';
import type { ExaminedSites } from './examine-sites.ts';
import { sumOf } from './reconciler-state.ts';
import type { ReconcilerState } from './reconciler-state.ts';
import type { RetentionReporter } from './retention-reporter.ts';
import type { StateKeeper } from './state-keeper.ts';
import type { DifferenceReporter } from './difference-reporter.ts';

export interface RunOnceDeps {
  readonly state: ReconcilerState;
  readonly keeper: Pick<StateKeeper, 'soon' | 'now'>;
  readonly reporter: DifferenceReporter;
  readonly metrics: ReconcilerMetrics;
  readonly clock: Clock;
  readonly readHeader: ReadSealedHeader;
  /** `regions`: those of all valid policy versions; their custody logs are read. */
  readonly trail: (regions: () => Iterable<string>) => AuditTrail;
  /** The control log up to now; see `ReconcileDeps`. */
  readonly services: () => Promise<ServiceHistory>;
  /** The same. */
  readonly erasures: () => Promise<Erasures>;
  /** The orders to give samples up, read anew at each call. */
  readonly losses: () => Promise<readonly LossOrder[]>;
  /** Called for a site that became unreachable. The run continues without it. */
  readonly onSiteUnreachable: (site: string, error: unknown) => void;
  /** Called once the log was read. */
  readonly onLogRead: () => void;
  /** Called at the end of a run, whether cut or not, with what a repair would mend. */
  readonly onRepairable: (found: RepairableCopies, policies: PolicyBook) => Promise<void>;
  /** Asked at the begin and at the end of a run, whether cut or not. */
  readonly retention: Pick<RetentionReporter, 'begin' | 'ended'>;
  /** The least time between two surveys of the lists, milliseconds. */
  readonly resurveyMs: number;
}

export interface EndedRun {
  /** The lists are due to be surveyed again; the passes continue. */
  readonly cut: boolean;
  readonly unreachable: ReadonlySet<string>;
}

/** Objects are read for at least ten times as long as the survey took. */
const READ_TIME_PER_SURVEY_TIME = 10;

/**
 * One run of `reconcile` over the reachable sites. It surveys all lists, and reads objects of the
 * sites with a due pass from where that pass was. If the run is not cut, the passes of sites that
 * stayed reachable end with it.
 */
export async function runOnce(
  deps: RunOnceDeps,
  seen: ExaminedSites,
  policies: PolicyBook,
  due: readonly string[],
): Promise<EndedRun> {
  const { state, keeper, reporter, metrics, clock } = deps;
  const run = state.begins(due, clock.now());
  // Save the start of the pass first: objects that are checked from now on are checked since then.
  await keeper.now();
  const carried = new Map(due.map((site) => [site, state.carried([site])]));
  const unreachable = new Set<string>();
  const began = clock.monotonic();
  const repairable = new RepairableCopies();
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
    const retention = await deps.retention.begin(policies);
    const report = await reconcile(
      {
        sites: seen.readers,
        foreignSites: seen.foreign,
        trail: deps.trail(() => policies.regions.keys()),
        readHeader: deps.readHeader,
        ...policies.questions(),
        services: deps.services,
        erasures: deps.erasures,
        losses: deps.losses,
      },
      {
        maxListed: 0,
        progress,
        unreachable: [...seen.unreachable.keys(), ...seen.out],
        onProgress: (done, total) => {
          if (total !== undefined) return;
          listed = done;
          metrics.progress({ listed, checked: state.checked });
        },
        onDifference: (difference) => {
          reporter.found(difference, run, surveyed);
          repairable.add(difference);
        },
        onStored: (event, isGone) => retention.follow(event, isGone),
        onSiteUnreachable: (site, error) => {
          unreachable.add(site);
          deps.onSiteUnreachable(site, error);
        },
        onSurveyed: () => {
          surveyed = true;
          deps.onLogRead();
          until =
            clock.monotonic() +
            Math.max(deps.resurveyMs, READ_TIME_PER_SURVEY_TIME * (clock.monotonic() - began));
          reporter.closed(state.surveyed(seen.reachable.difference(unreachable), run));
          keeper.soon();
        },
        // Each run reads at least one object, however long its survey takes.
        enough: () => (cut ||= begun > 0 && clock.monotonic() >= until),
      },
    );
    if (!cut)
      end(
        deps,
        due.filter((site) => !unreachable.has(site)),
        (whole) =>
          sumOf([report.differences.byCode, ...whole.map((site) => carried.get(site) ?? {})]),
      );
    deps.retention.ended(await retention.end());
    await deps.onRepairable(repairable, policies);
  } finally {
    state.interrupted();
    await keeper.now();
  }
  return { cut, unreachable };
}

function end(
  { state, reporter, metrics }: RunOnceDeps,
  whole: readonly string[],
  byCode: (whole: readonly string[]) => Readonly<Record<string, number>>,
): void {
  if (whole.length === 0) return;
  const { pass, closed } = state.ended(whole, byCode(whole));
  reporter.closed(closed);
  reporter.passEnded();
  metrics.passed(pass);
}

/** The same progress, with callbacks before an object is read and after it was compared. */
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
