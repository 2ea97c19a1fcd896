import { objectKey, tombstoneOf } from '@residency/contracts';
import type { CopiedData, RepairOrder } from '@residency/contracts';
import { remedyOf } from '@residency/coded-error';
import { hasCiphertext } from './copy-sample.ts';
import type { Debt } from './debt.ts';
import { isTombstone } from './erase-sample.ts';
import { payBatch } from './pay-batch.ts';
import { unlessAway } from './unless-away.ts';
import type { PayDeps } from './pay-batch.ts';
import type { CustodianSite } from './ports/custodian-site.ts';

export interface RepairCounts {
  /** Copies of the site that were compared with their events. */
  readonly checked: number;
  /** Copies that were made anew, also by an earlier custodian. */
  readonly copied: number;
  /** Copies that are not good and could not be made anew. */
  readonly unpaid: number;
}

export interface RepairDeps extends PayDeps {
  /** A monotonic clock, milliseconds. */
  readonly elapsed: () => number;
  /**
   * The stored samples that the site has a copy of, in batches, from where the last batch ended that
   * was done; in order within each partition.
   */
  readonly batches: (
    site: string,
    from: ReadonlyMap<number, bigint>,
    signal: AbortSignal,
  ) => AsyncIterable<readonly Debt[]>;
  /** Called for each copy once its event is appended. */
  readonly copied: (copy: Omit<CopiedData, 'previous'>) => void;
}

/** The most copies that are checked between two looks at what is owed. */
const STEP = 512;
/**
 * How long an order waits at its end for records that have the place of a copy to be settled. A
 * record that waits for a person is not settled in any time.
 */
const SETTLED_WITHIN_MS = 60_000;
/** The most copies that it comes back to; each is kept in memory. */
const MOST_POSTPONED = 10_000;

/**
 * One order to check every copy in a site. It is carried out in steps, so that a long one holds up
 * no owed copy. A successor begins it again: what was made anew is good by then.
 */
export class Repair {
  readonly order: RepairOrder;
  readonly #deps: RepairDeps;
  readonly #began: number;
  readonly #next = new Map<number, bigint>();
  #checked = 0;
  /** Copies that the order comes back to once every other one was checked. */
  #postponed: readonly Debt[] = [];
  #endedAt: number | undefined;

  constructor(order: RepairOrder, deps: RepairDeps) {
    this.order = order;
    this.#deps = deps;
    this.#began = deps.elapsed();
  }

  get counts(): RepairCounts {
    return { checked: this.#checked, ...this.#deps.head.countsOf(this.order.act) };
  }

  /**
   * Goes on for a while. `done`: every copy was checked. `waits`: a site that a copy is to be made
   * from does not answer, or a record that has a copy's place is not settled. `away`: why the site
   * itself does not answer. Throws as `payBatch`.
   */
  async step(site: CustodianSite, signal: AbortSignal): Promise<Step> {
    const until = Math.min(this.#checked + STEP, this.#allowed());
    for await (const debts of this.#deps.batches(this.order.site, this.#next, signal)) {
      if (signal.aborted || this.#checked >= until) return { done: false };
      const { value: bad, away } = await unlessAway(() => this.#notGood(site, debts));
      if (bad === undefined) return { done: false, away };
      const ended = await this.#repair(site, bad, this.#postponed.length < MOST_POSTPONED);
      if (ended !== undefined) return { done: false, ...ended };
      this.#checked += debts.length;
      for (const { partition, offset } of debts) this.#next.set(partition, offset + 1n);
    }
    return await this.#comeBack(site, signal);
  }

  /** One after the other: they are few, and each may be large. */
  async #comeBack(site: CustodianSite, signal: AbortSignal): Promise<Step> {
    if (signal.aborted) return { done: false };
    this.#endedAt ??= this.#deps.elapsed();
    const mayWait = this.#deps.elapsed() - this.#endedAt < SETTLED_WITHIN_MS;
    const due = [...this.#postponed];
    this.#postponed = [];
    for (const [index, debt] of due.entries()) {
      if (signal.aborted) {
        this.#postponed = [...this.#postponed, ...due.slice(index)];
        return { done: false };
      }
      const { value: bad, away } = await unlessAway(() => this.#notGood(site, [debt]));
      const ended = bad === undefined ? { away } : await this.#repair(site, bad, mayWait);
      if (ended === undefined) continue;
      this.#postponed = [...this.#postponed, ...due.slice(index)];
      return { done: false, ...ended };
    }
    return this.#postponed.length === 0 ? { done: true } : { done: false, waits: true };
  }

  /**
   * The samples whose copy in the site is missing, or is not what its event names. What is erased and on
   * hold is left as it is.
   */
  async #notGood(site: CustodianSite, debts: readonly Debt[]): Promise<readonly Debt[]> {
    const { erasures } = this.#deps;
    const good = await Promise.all(
      debts.map(async (debt) =>
        debt.isErased && erasures.orderOf(debt) === undefined ? true : await isGood(site, debt),
      ),
    );
    return debts.filter((_, index) => good[index] === false);
  }

  /** How many copies may have been checked by now. */
  #allowed(): number {
    const { perSecond } = this.order;
    if (perSecond === undefined) return Infinity;
    return Math.ceil((perSecond * (this.#deps.elapsed() - this.#began)) / 1_000);
  }

  /** `undefined`: each is made anew, counted as not repaired, or postponed. */
  async #repair(
    site: CustodianSite,
    bad: readonly Debt[],
    postpones: boolean,
  ): Promise<Omit<Step, 'done'> | undefined> {
    if (bad.length === 0) return undefined;
    const { act } = this.order;
    const payment = await payBatch(site, bad, this.#deps, { act, postpones });
    const { paid, erased, unpaid, postponed, away } = payment;
    for (const { copy } of paid) this.#deps.copied(copy);
    if (away !== undefined) return { away };
    // The others come again with the whole batch, in which what was made anew is good.
    if (paid.length + erased.length + unpaid.length + postponed.length < bad.length)
      return { waits: true };
    this.#postponed = [...this.#postponed, ...postponed];
    return undefined;
  }
}

interface Step {
  readonly done: boolean;
  readonly waits?: boolean;
  readonly away?: unknown;
}

async function isGood(site: CustodianSite, debt: Debt): Promise<boolean> {
  const { holding } = debt;
  try {
    if (debt.isErased) return await isGone(site, debt);
    return hasCiphertext(await site.read(objectKey(holding.submission)), holding);
  } catch (error) {
    if (remedyOf(error) === 'park') return false;
    throw error;
  }
}

/** The site has the tombstone, and had nothing else of the sample. */
async function isGone(site: CustodianSite, { event, holding }: Debt): Promise<boolean> {
  const found = await site.read(objectKey(holding.submission));
  const order = found?.metadata?.erased;
  if (!isTombstone(found) || order === undefined) return false;
  const purged = await site.purge(tombstoneOf(event, order), holding.submission, []);
  return purged.versions + purged.setAside + purged.uploads === 0;
}
