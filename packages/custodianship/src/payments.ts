import type { CopiedData, ErasedData, UnpaidCode } from '@residency/contracts';
import { defined } from '@residency/defined';
import type { AuditFold } from './audit-fold.ts';
import type { CustodyHead } from './custody-head.ts';
import type { Debt } from './debt.ts';
import type { Debts, SiteDebts } from './debts.ts';
import { payBatch } from './pay-batch.ts';
import type { PayDeps } from './pay-batch.ts';
import type { CustodianSite } from './ports/custodian-site.ts';
import type { RegionSites } from './region-sites.ts';
import type { StoredSamples } from './stored-samples.ts';
import { unlessAway } from './unless-away.ts';

export interface PaymentsDeps {
  readonly fold: AuditFold;
  readonly head: CustodyHead;
  readonly sites: RegionSites;
  readonly samples: StoredSamples;
  readonly pay: () => PayDeps;
  /** A monotonic clock, milliseconds. */
  readonly elapsed: () => number;
  /** Called for each copy once its event is appended. */
  readonly copied: (copy: Omit<CopiedData, 'previous'>) => void;
  /** Called for each erased sample once its event is appended. */
  readonly erased: (data: Omit<ErasedData, 'previous'>) => void;
  /** Called where no debt is between its event and its strike. */
  readonly rest: () => Promise<void>;
}

/** Debts that a person must look at are tried again this often. */
const LOOK_AGAIN_MS = 60_000;

/** A debt whose site can be reached, and that is not paid for a reason that does not pass by itself. */
interface Unpaid {
  readonly site: string;
  readonly partition: number;
  readonly offset: bigint;
  readonly at: number;
  readonly code: UnpaidCode;
}

/** What the sites of a region owe, copies and tombstones, and how it is paid. */
export class Payments {
  readonly #deps: PaymentsDeps;
  readonly #debts: Debts;
  readonly #unpaid = new Map<string, Unpaid>();
  #lookAgainAt = 0;

  constructor(deps: PaymentsDeps) {
    this.#deps = deps;
    this.#debts = deps.fold.debts;
  }

  /** Copies that a person must look at, by code. */
  get unpaid(): ReadonlyMap<UnpaidCode, number> {
    return countBy([...this.#unpaid.values()].map(({ code }) => code));
  }

  of(site: string): SiteDebts {
    const { owed, oldestAt } = this.#debts.of(site);
    const left = [...this.#unpaid.values()]
      .filter((one) => one.site === site && !this.#debts.has(site, one.partition, one.offset))
      .map(({ at }) => at);
    const oldest = oldestOf(oldestAt === undefined ? left : [oldestAt, ...left]);
    return { owed: owed + left.length, ...defined({ oldestAt: oldest }) };
  }

  /** All debts, for a register. */
  copy(): Debts {
    const debts = this.#debts.copy();
    for (const { site, partition, offset, at } of this.#unpaid.values())
      debts.add(site, partition, offset, at);
    return debts;
  }

  /** The audit log is looked through anew: what is not paid is found again. */
  restart(): void {
    this.#unpaid.clear();
  }

  /**
   * Debts that a person must look at are tried again after a while: the cause may be gone. They stay
   * reported until they are paid.
   */
  lookAgain(): void {
    if (this.#deps.elapsed() < this.#lookAgainAt) return;
    this.#lookAgainAt = this.#deps.elapsed() + LOOK_AGAIN_MS;
    for (const { site, partition, offset, at } of this.#unpaid.values())
      this.#debts.add(site, partition, offset, at);
  }

  /**
   * Strikes what was paid after the register was saved. Only the sites that got copies since are looked
   * through, from their first debt to their last. Returns the number of records read.
   */
  async strikePaid(): Promise<number> {
    const { fold, head, samples } = this.#deps;
    let read = 0;
    for (const site of fold.sites) {
      if (!head.copiedTo.has(site)) continue;
      const left: number[] = [];
      for (const partition of fold.partitions) {
        const first = this.#debts.first(site, partition);
        let count = this.#debts.count(site, partition);
        if (first === undefined) continue;
        for await (const record of samples.read(partition, first)) {
          read += 1;
          if (!this.#debts.has(site, partition, record.offset)) continue;
          const debt = samples.at(partition, record);
          if (debt !== undefined && fold.owing(debt).includes(site)) left.push(debt.at);
          else this.#debts.paid(site, partition, record.offset);
          count -= 1;
          if (count === 0) break;
        }
      }
      this.#debts.left(site, oldestOf(left));
    }
    return read;
  }

  /** Pays what a site owes, if it answers. Throws as `payBatch`. */
  async pay(name: string, signal: AbortSignal): Promise<void> {
    const { sites } = this.#deps;
    if (this.#debts.of(name).owed === 0 || sites.calls.isAway(name)) return;
    const { value: site, away } = await unlessAway(() => sites.open(name));
    const error = site === undefined ? away : await this.#payAll(site, signal);
    if (error === undefined) sites.calls.answered(name);
    else sites.calls.failed(name, error);
  }

  /** The sites that the event names owe nothing more; the others owe a tombstone. */
  erased(debt: Debt, data: Omit<ErasedData, 'previous'>): void {
    const { partition, offset } = debt;
    for (const { site } of data.sites) this.#debts.paid(site, partition, offset);
    for (const site of this.#deps.fold.sites) this.#unpaid.delete(nameOf(site, debt));
    this.oweTombstones(debt);
    this.#deps.erased(data);
  }

  /** No site owes it any more. */
  lost(debt: Debt): void {
    for (const site of this.#deps.fold.sites) {
      this.#debts.paid(site, debt.partition, debt.offset);
      this.#unpaid.delete(nameOf(site, debt));
    }
  }

  oweTombstones(debt: Debt): void {
    const { fold, head } = this.#deps;
    const { partition, offset, at, holding } = debt;
    for (const site of fold.sites)
      if (!head.isErasedIn(site, holding.position)) this.#debts.add(site, partition, offset, at);
  }

  /** Returns why a site does not answer; `undefined`: all of them do. */
  async #payAll(site: CustodianSite, signal: AbortSignal): Promise<unknown> {
    const { head, sites, pay } = this.#deps;
    const left: number[] = [];
    // What is erased elsewhere goes before any copy comes.
    if (head.unerasedIn(site.site) > 0) {
      const error = await this.#payEach(site, signal, left, (debt) =>
        debt.isErased ? !sites.erasing.isAway(site.site) : undefined,
      );
      if (error !== undefined) return error;
    }
    // What is ordered to be erased gets no copy any more.
    const { erasures } = pay();
    const error = await this.#payEach(site, signal, left, (debt) => {
      if (debt.isErased) return undefined;
      if (!debt.isLost) return erasures.orderOf(debt) === undefined;
      // A register of before the loss has it, and the loss's event does not name this site.
      this.lost(debt);
      return undefined;
    });
    if (error === undefined && !signal.aborted) this.#debts.left(site.site, oldestOf(left));
    return error;
  }

  /** `wants`: `false`: the debt stays; `undefined`: it is not this pass's. */
  async #payEach(
    site: CustodianSite,
    signal: AbortSignal,
    left: number[],
    wants: (debt: Debt) => boolean | undefined,
  ): Promise<unknown> {
    const isWanted = (debt: Debt): boolean => {
      const wanted = wants(debt);
      if (wanted === false) left.push(debt.at);
      return wanted === true;
    };
    for (const partition of await this.#deps.samples.partitions()) {
      for await (const debts of this.#batches(site.site, partition, isWanted, signal)) {
        if (signal.aborted) return undefined;
        const { stay, away } = await this.#payBatch(site, debts);
        if (away !== undefined) return away;
        left.push(...stay);
        await this.#deps.rest();
      }
    }
    return undefined;
  }

  /** The debts of a site in one partition. */
  async *#batches(
    site: string,
    partition: number,
    isWanted: (debt: Debt) => boolean,
    signal: AbortSignal,
  ): AsyncGenerator<readonly Debt[]> {
    const first = this.#debts.first(site, partition);
    if (first !== undefined)
      yield* this.#deps.samples.batches(partition, first, {
        most: this.#debts.count(site, partition),
        record: ({ offset }) => this.#debts.has(site, partition, offset),
        debt: isWanted,
        signal,
      });
  }

  /** Returns the times of the debts that stay, for the oldest of them. */
  async #payBatch(
    site: CustodianSite,
    debts: readonly Debt[],
  ): Promise<{ readonly stay: readonly number[]; readonly away?: unknown }> {
    const { copied, sites, pay } = this.#deps;
    const { paid, erased, unpaid, away, notErased } = await payBatch(site, debts, pay());
    if (notErased !== undefined) sites.erasing.failed(site.site, notErased);
    else if (erased.length > 0) sites.erasing.answered(site.site);
    const done = new Set<Debt>();
    for (const { debt, copy } of paid) {
      done.add(debt);
      this.#debts.paid(site.site, debt.partition, debt.offset);
      this.#unpaid.delete(nameOf(site.site, debt));
      copied(copy);
    }
    for (const { debt, data } of erased) {
      done.add(debt);
      this.erased(debt, data);
    }
    for (const { debt, code } of unpaid) {
      done.add(debt);
      this.#debts.paid(site.site, debt.partition, debt.offset);
      const { partition, offset, at } = debt;
      this.#unpaid.set(nameOf(site.site, debt), { site: site.site, partition, offset, at, code });
    }
    return {
      stay: debts.filter((debt) => !done.has(debt)).map(({ at }) => at),
      ...defined({ away }),
    };
  }
}

function nameOf(site: string, { partition, offset }: Debt): string {
  return `${site}/${partition}/${offset}`;
}

/** The smallest time; `undefined`: there is none. */
function oldestOf(times: readonly number[]): number | undefined {
  return times.reduce<number | undefined>((oldest, at) => Math.min(at, oldest ?? at), undefined);
}

function countBy<Key>(keys: readonly Key[]): ReadonlyMap<Key, number> {
  const counts = new Map<Key, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}
