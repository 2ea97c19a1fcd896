import { objectKey } from '@residency/contracts';
import type { CopiedData, RepairOrder } from '@residency/contracts';
import { remedyOf } from '@residency/coded-error';
import { hasCiphertext } from './copy-sample.ts';
import type { Debt } from './debt.ts';
import { payBatch, unlessAway } from './pay-batch.ts';
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
 * One order to check every copy in a site. It is carried out in steps, so that a long one holds up
 * no owed copy. A successor begins it again: what was made anew is good by then.
 */
export class Repair {
  readonly order: RepairOrder;
  readonly #deps: RepairDeps;
  readonly #began: number;
  readonly #next = new Map<number, bigint>();
  #checked = 0;

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
   * from does not answer. `away`: why the site itself does not. Throws as `payBatch`.
   */
  async step(site: CustodianSite, signal: AbortSignal): Promise<Step> {
    const until = Math.min(this.#checked + STEP, this.#allowed());
    for await (const debts of this.#deps.batches(this.order.site, this.#next, signal)) {
      if (signal.aborted || this.#checked >= until) return { done: false };
      const { value: bad, away } = await unlessAway(() => notGood(site, debts));
      if (bad === undefined) return { done: false, away };
      const ended = await this.#repair(site, bad);
      if (ended !== undefined) return { done: false, ...ended };
      this.#checked += debts.length;
      for (const { partition, offset } of debts) this.#next.set(partition, offset + 1n);
    }
    return { done: !signal.aborted };
  }

  /** How many copies may have been checked by now. */
  #allowed(): number {
    const { perSecond } = this.order;
    if (perSecond === undefined) return Infinity;
    return Math.ceil((perSecond * (this.#deps.elapsed() - this.#began)) / 1_000);
  }

  /** `undefined`: each is made anew, or counted as not repaired. */
  async #repair(
    site: CustodianSite,
    bad: readonly Debt[],
  ): Promise<Omit<Step, 'done'> | undefined> {
    if (bad.length === 0) return undefined;
    const { paid, unpaid, away } = await payBatch(site, bad, this.#deps, this.order.act);
    for (const { copy } of paid) this.#deps.copied(copy);
    if (away !== undefined) return { away };
    // The others come again with the whole batch, in which what was made anew is good.
    return paid.length + unpaid.length < bad.length ? { waits: true } : undefined;
  }
}

interface Step {
  readonly done: boolean;
  readonly waits?: boolean;
  readonly away?: unknown;
}

/** The samples whose copy in the site is missing, or is not what its event names. */
async function notGood(site: CustodianSite, debts: readonly Debt[]): Promise<readonly Debt[]> {
  const good = await Promise.all(debts.map((debt) => isGood(site, debt)));
  return debts.filter((_, index) => good[index] === false);
}

async function isGood(site: CustodianSite, { holding }: Debt): Promise<boolean> {
  try {
    return hasCiphertext(await site.read(objectKey(holding.submission)), holding);
  } catch (error) {
    if (remedyOf(error) === 'park') return false;
    throw error;
  }
}
