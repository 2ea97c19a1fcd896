import { BoundedLabel } from './bounded-label.ts';
import type { Instruments } from './instruments.ts';

/** A region's debts at one moment. */
export interface CustodyNow {
  readonly debts: ReadonlyMap<string, { readonly owed: number; readonly oldestAt?: number }>;
  /** Debts that a person must look at, by code. */
  readonly unpaid: ReadonlyMap<string, number>;
  /** Orders that are not closed. */
  readonly repairs: readonly { readonly order: { readonly site: string } }[];
  /** `false`: not all debts are found yet; none is shown. */
  readonly complete: boolean;
  readonly erasures: ErasuresNow;
  /** Samples that are to be given up and wait for a site. */
  readonly losses: { readonly waiting: number };
}

/** Samples that are ordered to be erased. */
export interface ErasuresNow {
  /** Not erased yet, without those on hold. */
  readonly waiting: number;
  readonly held: number;
  /** Append time of the oldest order that is not carried out, milliseconds; absent: all are. */
  readonly oldestAt?: number;
}

export interface CustodianMetrics {
  /** `read` is called before each rendering, until the returned function is called. */
  region(region: string, read: () => CustodyNow): () => void;
  /** A round over the debts of a region ended without an error. */
  round(region: string): void;
  copied(site: string, cause: CopyCause): void;
  closed(site: string, result: RepairResult): void;
  /** The event of an erasure was appended. */
  erased(region: string): void;
  /** The event that a sample is lost was appended. */
  lost(region: string): void;
  /** All debts of a region are known. */
  tookOver(region: string, takeOver: TakeOverFigures): void;
  /** A register was saved at this time, milliseconds; also by an earlier process. */
  register(region: string, register: { readonly bytes: number; readonly at: number }): void;
}

export interface TakeOverFigures {
  readonly seconds: number;
  readonly auditRecords: number;
  readonly custodyRecords: number;
}

const COPY_CAUSES = ['owed', 'repair'] as const;
export type CopyCause = (typeof COPY_CAUSES)[number];
const REPAIR_RESULTS = ['whole', 'incomplete', 'refused'] as const;
export type RepairResult = (typeof REPAIR_RESULTS)[number];

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
  const ageOf = (at: number | undefined): number =>
    at === undefined ? 0 : Math.max(0, (now() - at) / 1_000);
  const collect = (): void => {
    const all = [...regions].map(([region, read]) => ({ region, ...read() }));
    const known = all.filter(({ complete }) => complete);
    open.reset();
    for (const one of sites) open.set({ site: one }, 0);
    for (const { order } of all.flatMap(({ repairs }) => repairs))
      open.inc({ site: site.value(order.site) });
    for (const [gauge, of] of erasures) {
      gauge.reset();
      for (const one of all) gauge.set({ region: one.region }, of(one.erasures));
    }
    losses.reset();
    for (const one of all) losses.set({ region: one.region }, one.losses.waiting);
    const debtors = known.flatMap(({ debts }) => [...debts]);
    owed.reset();
    age.reset();
    for (const [name, debt] of debtors) {
      owed.set({ site: site.value(name) }, debt.owed);
      age.set({ site: site.value(name) }, ageOf(debt.oldestAt));
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
  const open = make.gauge('residency_repairs_open');
  const closed = make.counter('residency_repairs_closed_total');
  const erasures = [
    [make.gauge('residency_erasures_waiting'), ({ waiting }: ErasuresNow) => waiting],
    [make.gauge('residency_erasures_held'), ({ held }: ErasuresNow) => held],
    [
      make.gauge('residency_erasure_oldest_age_seconds'),
      ({ oldestAt }: ErasuresNow) => ageOf(oldestAt),
    ],
  ] as const;
  const erased = make.counter('residency_samples_erased_total');
  const losses = make.gauge('residency_losses_waiting');
  const lost = make.counter('residency_samples_lost_total');
  const takeOver = make.gauge('residency_takeover_seconds');
  const records = make.gauge('residency_takeover_records');
  const saved = make.gauge('residency_register_saved_timestamp_seconds');
  const bytes = make.gauge('residency_register_bytes');
  for (const one of sites) {
    for (const cause of COPY_CAUSES) copies.inc({ site: one, cause }, 0);
    for (const result of REPAIR_RESULTS) closed.inc({ site: one, result }, 0);
  }
  return {
    region: (name, read) => {
      regions.set(name, read);
      erased.inc({ region: name }, 0);
      lost.inc({ region: name }, 0);
      return () => {
        if (regions.get(name) === read) regions.delete(name);
      };
    },
    round: (region) => {
      rounds.set({ region }, now() / 1_000);
    },
    copied: (where, cause) => {
      copies.inc({ site: site.value(where), cause });
    },
    closed: (where, result) => {
      closed.inc({ site: site.value(where), result });
    },
    erased: (region) => {
      erased.inc({ region });
    },
    lost: (region) => {
      lost.inc({ region });
    },
    tookOver: (region, { seconds, auditRecords, custodyRecords }) => {
      takeOver.set({ region }, seconds);
      records.set({ region, log: 'audit' }, auditRecords);
      records.set({ region, log: 'custody' }, custodyRecords);
    },
    register: (region, { bytes: size, at }) => {
      saved.set({ region }, at / 1_000);
      bytes.set({ region }, size);
    },
  };
}
