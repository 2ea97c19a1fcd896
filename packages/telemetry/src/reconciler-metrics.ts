import { BoundedLabel } from './bounded-label.ts';
import type { Instruments } from './instruments.ts';
import { VIOLATION_CODES, violationCounter } from './violations.ts';

export interface EndedPass {
  /** Sites that were compared completely, with the start of that pass, milliseconds. */
  readonly sites: readonly { readonly site: string; readonly began: number }[];
  /** All differences, by code. */
  readonly byCode: Readonly<Partial<Record<string, number>>>;
}

export interface ReconcilerMetrics {
  /** An object was read and compared. */
  checked(site: string): void;
  /** A violation that was not known before. */
  violated(code: string): void;
  /** All violations known to be open now. `site` is empty if a violation concerns no site. */
  open(
    violations: readonly { readonly site: string; readonly code: string; readonly count: number }[],
  ): void;
  passed(pass: EndedPass): void;
  /** These sites are not compared, so they have no time of a last pass. */
  outOfService(sites: ReadonlySet<string>): void;
  /** Results of an earlier process's passes. They are shown, and not counted. */
  recalled(pass: EndedPass): void;
  failed(): void;
  /** What a run found that a repair would mend, of all sites. */
  repairs(sites: readonly { readonly site: string; readonly state: string }[]): void;
  /** What a run found past its time, of all regions with a limit. */
  overdue(regions: readonly { readonly region: string; readonly overdue: number }[]): void;
  /** Progress of the current pass. */
  progress(objects: { readonly listed: number; readonly checked: number }): void;
}

const MAX_CODES = 64;

export function reconcilerMetrics(
  make: Instruments,
  sites: readonly string[],
  regions: readonly string[],
): ReconcilerMetrics {
  const checked = make.counter('residency_placements_checked_total');
  const open = make.gauge('residency_violations_open');
  const differences = make.gauge('residency_differences_open');
  const lastChecked = make.gauge('residency_placement_last_checked_timestamp_seconds');
  const passes = make.counter('residency_reconciliation_passes_total');
  const objects = make.gauge('residency_reconciliation_pass_objects');
  const violated = violationCounter(make, 'reconciler', VIOLATION_CODES);
  const overdue = make.gauge('residency_samples_overdue');
  const [site, region, code, violation] = [
    new BoundedLabel(['', ...sites]),
    new BoundedLabel(regions),
    new BoundedLabel([], MAX_CODES),
    new BoundedLabel(VIOLATION_CODES),
  ];
  const proposed = make.gauge('residency_repairs_proposed');
  const ordered = make.counter('residency_repairs_ordered_total');
  for (const one of sites) {
    checked.inc({ site: one }, 0);
    proposed.set({ site: one }, 0);
    ordered.inc({ site: one }, 0);
  }
  for (const result of ['clean', 'different', 'failed'] as const) passes.inc({ result }, 0);
  const recalled = ({ sites: read, byCode }: EndedPass): void => {
    differences.reset();
    for (const [name, count] of Object.entries(byCode))
      differences.set({ code: code.value(name) }, count ?? 0);
    for (const { site: where, began } of read)
      lastChecked.set({ site: site.value(where) }, began / 1_000);
  };
  return {
    checked: (where) => {
      checked.inc({ site: site.value(where) });
    },
    violated,
    open: (violations) => {
      open.reset();
      for (const one of sites) open.set({ site: one, code: 'WRONG_REGION' }, 0);
      for (const { site: where, code: what, count } of violations)
        open.set({ site: site.value(where), code: violation.value(what) }, count);
    },
    passed: (pass) => {
      recalled(pass);
      passes.inc({ result: Object.keys(pass.byCode).length === 0 ? 'clean' : 'different' });
    },
    recalled,
    outOfService: (out) => {
      for (const where of out) lastChecked.remove({ site: site.value(where) });
    },
    failed: () => {
      passes.inc({ result: 'failed' });
    },
    repairs: (found) => {
      for (const one of sites) proposed.set({ site: one }, 0);
      for (const { site: where, state } of found) {
        if (state === 'proposed') proposed.set({ site: site.value(where) }, 1);
        if (state === 'ordered') ordered.inc({ site: site.value(where) });
      }
    },
    overdue: (found) => {
      overdue.reset();
      for (const { region: where, overdue: samples } of found)
        overdue.set({ region: region.value(where) }, samples);
    },
    progress: ({ listed, checked: done }) => {
      objects.set({ state: 'listed' }, listed);
      objects.set({ state: 'checked' }, done);
    },
  };
}
