import {
  ORDER_CLOSED,
  SAMPLE_COPIED,
  SAMPLE_ERASED,
  SAMPLE_NOT_REPAIRED,
  SITE_REPAIR_ORDERED,
  controlEntry,
  controlEventIn,
  custodyEventIn,
} from '@residency/contracts';
import type {
  ClosedData,
  LogEntry,
  LogRecord,
  RepairOrder,
  UnpaidCode,
} from '@residency/contracts';
import type { Difference, DifferenceCode } from './difference.ts';

/** As `RESIDENCY_REPAIR`: whether a repair is ordered at once, or a person is told the command. */
export const REPAIR_MODES = ['auto', 'propose'] as const;
export type RepairMode = (typeof REPAIR_MODES)[number];

/** Who orders without a person, on `residency.control`. */
export const AUTOMATIC = 'reconciliation';

/** A custodian makes such a copy anew if another site of the region has it. */
const REPAIRABLE: ReadonlySet<DifferenceCode> = new Set([
  'OBJECT_MISSING',
  'METADATA_MISSING',
  'SIZE_DIFFERS',
  'CIPHERTEXT_DIFFERS',
  'OBJECT_REPLACED',
  // It erases again.
  'ERASED_BUT_PRESENT',
  'TOMBSTONE_MISSING',
]);
/** Such a copy can be made once the record that has its place is settled. */
const PASSES: UnpaidCode = 'STRANGER_UNSETTLED';

/** Kept by site: about 100 bytes each. One that no order has tried is reason enough. */
const MOST_POSITIONS = 10_000;

/** The copies that a run found missing or damaged, and erased samples that are there, by site. */
export class RepairableCopies {
  readonly #sites = new Map<string, Set<string>>();

  add({ code, site, position }: Difference): void {
    if (site === undefined || position === undefined || !REPAIRABLE.has(code)) return;
    const positions = this.#sites.get(site) ?? new Set();
    this.#sites.set(site, positions);
    if (positions.size < MOST_POSITIONS) positions.add(position);
  }

  get sites(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#sites;
  }
}

export interface SiteRepair {
  readonly site: string;
  readonly region: string;
  /**
   * `ordered`: now. `open`: an earlier order is not closed yet. `proposed`: a person may order it, as
   * the mode says, or because the last automatic order made nothing anew.
   */
  readonly state: 'ordered' | 'open' | 'proposed';
}

/** The logs, as whoever may append an order sees them. */
export interface RepairLogs {
  /** `residency.control` from its start. */
  readonly control: () => AsyncIterable<LogRecord>;
  /** The values of all custody logs. */
  readonly custody: () => AsyncIterable<Uint8Array>;
  readonly append: (entries: readonly LogEntry[]) => Promise<unknown>;
}

export interface RepairOptions {
  readonly mode: RepairMode;
  /** The sites of each region, in any valid policy version. */
  readonly regions: ReadonlyMap<string, ReadonlySet<string>>;
  /** A new id each time. */
  readonly act: () => string;
  /** A new salt each time: 16 random bytes in hex. */
  readonly salt: () => string;
}

/**
 * Orders the repair of each site in which copies were found missing or damaged, or says that a person
 * may. A copy that an order could not repair is no reason for another order, and while an order for
 * a site is open there is no second one. Throws the logs' errors; what was appended by then stays.
 * May be repeated: it reads what was ordered.
 */
export async function orderRepairs(
  { sites }: RepairableCopies,
  logs: RepairLogs,
  { mode, regions, act, salt }: RepairOptions,
): Promise<readonly SiteRepair[]> {
  if (sites.size === 0) return [];
  const known = await readOrders(logs, sites);
  const repairs: SiteRepair[] = [];
  for (const [site, positions] of sites) {
    const region = [...regions].find(([, names]) => names.has(site))?.[0];
    const { tried, isOpen, isVain } = known(site);
    if (region === undefined || positions.isSubsetOf(tried)) continue;
    const state = isOpen ? 'open' : mode === 'auto' && !isVain ? 'ordered' : 'proposed';
    if (state === 'ordered') {
      const data = { act: act(), region, site };
      const event = { type: SITE_REPAIR_ORDERED, data, principal: AUTOMATIC } as const;
      await logs.append([controlEntry(event, act(), salt())]);
    }
    repairs.push({ site, region, state });
  }
  return repairs;
}

interface KnownOrders {
  /** Positions whose copy the last order that tried could not make anew. */
  readonly tried: ReadonlySet<string>;
  readonly isOpen: boolean;
  /**
   * The last order was automatic, and made nothing anew and erased nothing again. Without a person, a finding that no order
   * mends would make orders for ever.
   */
  readonly isVain: boolean;
}

async function readOrders(
  { control, custody }: RepairLogs,
  sites: ReadonlyMap<string, ReadonlySet<string>>,
): Promise<(site: string) => KnownOrders> {
  // The control log is read last, so that an order of somebody else that is appended meanwhile is
  // seen. One that is closed meanwhile counts as open until the next run.
  const closed = new Map<string, ClosedData>();
  const erasing = new Set<string>();
  const tried = new Map([...sites.keys()].map((site) => [site, new Set<string>()]));
  for await (const value of custody()) {
    const event = custodyEventIn(value);
    if (event?.type === ORDER_CLOSED) closed.set(event.data.order, event.data);
    if (event?.type === SAMPLE_COPIED) tried.get(event.data.copy.site)?.delete(event.data.of);
    if (event?.type === SAMPLE_ERASED) {
      if (event.data.repair !== undefined) erasing.add(event.data.repair);
      for (const { site } of event.data.sites) tried.get(site)?.delete(event.data.of);
    }
    if (
      event?.type === SAMPLE_NOT_REPAIRED &&
      event.data.code !== PASSES &&
      isWanted(sites, event.data)
    )
      tried.get(event.data.site)?.add(event.data.of);
  }
  const orders: (RepairOrder & { readonly isAutomatic: boolean })[] = [];
  for await (const record of control()) {
    const event = controlEventIn(record);
    if (event?.type === SITE_REPAIR_ORDERED)
      orders.push({ ...event.data, isAutomatic: event.principal === AUTOMATIC });
  }
  return (site) => {
    const own = orders.filter((order) => order.site === site);
    const last = own.at(-1);
    const end = last === undefined ? undefined : closed.get(last.act);
    return {
      tried: tried.get(site) ?? new Set(),
      isOpen: own.some(({ act }) => !closed.has(act)),
      isVain: last?.isAutomatic === true && end?.copied === 0 && !erasing.has(last.act),
    };
  };
}

function isWanted(
  sites: ReadonlyMap<string, ReadonlySet<string>>,
  { site, of }: { readonly site: string; readonly of: string },
): boolean {
  return sites.get(site)?.has(of) === true;
}
