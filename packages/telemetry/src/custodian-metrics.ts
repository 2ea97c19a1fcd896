import { BoundedLabel } from './bounded-label.ts';
import type { Instruments } from './instruments.ts';

/** A region's debts at one moment. */
export interface CustodyNow {
  readonly debts: ReadonlyMap<string, { readonly owed: number; readonly oldestAt?: number }>;
  /** Debts that a person must look at, by code. */
  readonly unpaid: ReadonlyMap<string, number>;
  /** `false`: not all debts are found yet; none is shown. */
  readonly complete: boolean;
}

export interface CustodianMetrics {
  /** `read` is called before each rendering, until the returned function is called. */
  region(region: string, read: () => CustodyNow): () => void;
  /** A round over the debts of a region ended without an error. */
  round(region: string): void;
  copied(site: string): void;
}

export interface CustodianMetricsOptions {
  readonly sites: readonly string[];
  readonly unpaidCodes: readonly string[];
  /** Wall clock, milliseconds. */
  readonly now: () => number;
}

export function custodianMetrics(
  make: Instruments,
  { sites, unpaidCodes, now }: CustodianMetricsOptions,
): CustodianMetrics {
  const regions = new Map<string, () => CustodyNow>();
  const [site, code] = [new BoundedLabel(sites), new BoundedLabel(unpaidCodes)];
  const collect = (): void => {
    const known = [...regions]
      .map(([region, read]) => ({ region, ...read() }))
      .filter(({ complete }) => complete);
    const all = known.flatMap(({ debts }) => [...debts]);
    owed.reset();
    age.reset();
    for (const [name, debt] of all) {
      owed.set({ site: site.value(name) }, debt.owed);
      age.set(
        { site: site.value(name) },
        debt.oldestAt === undefined ? 0 : Math.max(0, (now() - debt.oldestAt) / 1_000),
      );
    }
    unpaid.reset();
    for (const { region, unpaid: counts } of known) {
      for (const one of unpaidCodes)
        unpaid.set({ region, code: code.value(one) }, counts.get(one) ?? 0);
    }
  };
  const owed = make.gauge('residency_copies_owed', collect);
  const age = make.gauge('residency_copies_owed_age_seconds');
  const unpaid = make.gauge('residency_copies_unpaid');
  const rounds = make.gauge('residency_custodian_round_timestamp_seconds');
  const copies = make.counter('residency_copies_total');
  for (const one of sites) copies.inc({ site: one }, 0);
  return {
    region: (name, read) => {
      regions.set(name, read);
      return () => {
        if (regions.get(name) === read) regions.delete(name);
      };
    },
    round: (region) => {
      rounds.set({ region }, now() / 1_000);
    },
    copied: (where) => {
      copies.inc({ site: site.value(where) });
    },
  };
}
