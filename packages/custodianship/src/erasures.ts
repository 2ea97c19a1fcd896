import { remedyOf } from '@residency/coded-error';
import {
  ErasureIndex,
  NO_ERASURES,
  auditEventIn,
  erasable,
  isStoredIn,
  parsePosition,
  sha256,
} from '@residency/contracts';
import type { ErasedData, Erasures as Orders, StoredEvent } from '@residency/contracts';
import { defined } from '@residency/defined';
import type { SettledOutcomes } from '@residency/routing';
import type { CustodyHead } from './custody-head.ts';
import { debtOf } from './debt.ts';
import type { Debt } from './debt.ts';
import { eraseAt, erasedData } from './erase-sample.ts';
import type { ErasedSite } from './erase-sample.ts';
import { KeySet } from './key-set.ts';
import type { RegionSites } from './region-sites.ts';
import type { SavedErasures } from './saved-erasures.ts';
import type { StoredSamples } from './stored-samples.ts';
import { unlessAway } from './unless-away.ts';
import type { AuditFeed } from './ports/audit-feed.ts';
import type { CustodianSite } from './ports/custodian-site.ts';

export interface ErasuresDeps {
  readonly region: string;
  readonly audit: AuditFeed;
  readonly head: CustodyHead;
  readonly sites: Pick<RegionSites, 'erasing' | 'site'>;
  readonly outcomes: SettledOutcomes;
  readonly samples: Pick<StoredSamples, 'among' | 'offsetsOf'>;
  /** All orders and holds known by now. */
  readonly orders: () => Orders;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
  /** A monotonic clock, milliseconds. */
  readonly elapsed: () => number;
  /** Called once the sample's event is appended. */
  readonly erased: (debt: Debt, data: Omit<ErasedData, 'previous'>) => void;
  /** Called for each erased sample that is passed: sites that its events do not name owe a tombstone. */
  readonly passed: (debt: Debt) => void;
}

/** How far the orders to erase are carried out. */
export interface ErasureReport {
  /** The audit log was looked through for every order that is known. */
  readonly complete: boolean;
  /** Samples that were found and are not erased in all sites in service yet, without those on hold. */
  readonly waiting: number;
  /** Samples on hold, as of the last time that the log was looked through. */
  readonly held: number;
  /** Append time of the oldest order that has waiting samples, or was not looked for; milliseconds. */
  readonly oldestAt?: number;
}

const BATCH = 16;
/** A step ends after so long, so that it holds up no owed copy. */
const STEP_MS = 1_000;
/** Waiting samples are tried again this often. */
const RETRY_MS = 1_000;
/** More are not kept in memory: the log is read no further until there are fewer. */
const MOST_WAITING = 10_000;
const MOST_RETRY_MS = 30_000;
/** An access counts as long as it lives by a clock that is this much slower than ours. */
const CLOCK_MARGIN_MS = 30_000;

interface Step {
  readonly sites: readonly string[];
  readonly until: number;
  readonly signal: AbortSignal;
}

/**
 * Carries out the orders to erase (docs/decisions/0049). A pass over the audit log looks for all
 * orders that are known; what is new in the log is looked through as it comes, and orders that came
 * during a pass begin another one.
 */
export class Erasures {
  readonly #deps: ErasuresDeps;
  /** What is looked through, by partition. */
  readonly #next = new Map<number, bigint>();
  /** Found and not erased, by position. */
  readonly #waiting = new Map<string, Debt>();
  #saved: SavedErasures | undefined;
  #orders: Orders = NO_ERASURES;
  #index = new ErasureIndex();
  /** The orders and holds that were known when this pass began. */
  #passFor: Orders = NO_ERASURES;
  /** How many orders were looked for in whole passes. */
  #covered = 0;
  #isWhole = true;
  #held = 0;
  #heldBefore = 0;
  #retryAt = 0;
  #retryMs = RETRY_MS;
  /** The partition after the one that the last step ended in. */
  #first = 0;
  /** Since when a site in service owes a tombstone, wall clock. */
  #owedSince: number | undefined;
  /** Apart from the index of the batch, which must not change while it is erased. */
  #asked = { orders: NO_ERASURES, index: new ErasureIndex() };

  /** `saved`: of an earlier process; passed over if orders or holds are others now. */
  constructor(deps: ErasuresDeps, saved?: SavedErasures) {
    this.#deps = deps;
    this.#saved = saved;
  }

  /** The `act` of the order by which a sample is erased. `undefined`: none, or it is on hold. */
  orderOf({ event }: Pick<Debt, 'event'>): string | undefined {
    const sample = erasable(event);
    return this.#index.holdOf(sample) === undefined ? this.#index.orderOf(sample) : undefined;
  }

  /** True if one of `orders` is about the sample, hold or not. */
  isOrdered(event: StoredEvent, orders: Orders): boolean {
    return this.#indexOf(orders).orderOf(erasable(event)) !== undefined;
  }

  /** As `isOrdered`, of what is not on hold. */
  isDue(event: StoredEvent, orders: Orders): boolean {
    const isHeld = this.#indexOf(orders).holdOf(erasable(event)) !== undefined;
    return !isHeld && this.isOrdered(event, orders);
  }

  #indexOf(orders: Orders): ErasureIndex {
    if (this.#asked.orders !== orders) this.#asked = { orders, index: new ErasureIndex(orders) };
    return this.#asked.index;
  }

  /** `owed`: samples of which some site in service has a tombstone and another one owes it. */
  report(owed: number): ErasureReport {
    this.#owedSince = owed === 0 ? undefined : (this.#owedSince ?? this.#deps.now());
    const { orders } = this.#orders;
    const waitFor = new Set([...this.#waiting.values()].map((debt) => this.orderOf(debt)));
    const open = orders.find(({ act }, index) => index >= this.#covered || waitFor.has(act));
    const since = [open?.at, this.#owedSince].filter((at) => at !== undefined);
    return {
      complete: this.#isWhole && this.#covered === orders.length,
      waiting: this.#waiting.size + owed,
      held: this.#isWhole ? this.#held : this.#heldBefore,
      ...defined({ oldestAt: since.length === 0 ? undefined : Math.min(...since) }),
    };
  }

  /** `undefined`: nothing was ever ordered, or a successor must look through the log anew. */
  save(): SavedErasures | undefined {
    if (this.#passFor.orders.length === 0 || this.#waiting.size > 0) return undefined;
    return { names: namesOf(this.#passFor), held: this.#held, next: [...this.#next] };
  }

  /**
   * Goes on for a while. `sites`: in service, the arbiter first. `ends`: the records before it are
   * looked through. `busy`: there is more to do at once. Ends early once `signal` is aborted. Throws the
   * logs' errors, and a site's if it is not `retry`.
   */
  async step(
    sites: readonly string[],
    ends: (partition: number) => bigint,
    signal: AbortSignal,
  ): Promise<{ readonly busy: boolean }> {
    this.#follow();
    this.#beginPass();
    if (this.#orders.orders.length === 0) return { busy: false };
    const to = { sites, until: this.#deps.elapsed() + STEP_MS, signal };
    await this.#again(to);
    const partitions = await this.#deps.audit.partitions();
    // Each step begins where the last one ended, so that none waits for ever for the others.
    for (let turn = 0; turn < partitions.length; turn += 1) {
      const index = (this.#first + turn) % partitions.length;
      const partition = partitions[index] ?? 0;
      const ended = await this.#lookThrough(partition, { ...to, end: ends(partition) });
      if (ended === 'whole') continue;
      this.#first = index + 1;
      return { busy: ended === 'cut' };
    }
    this.#isWhole = true;
    this.#covered = this.#passFor.orders.length;
    return { busy: this.#passFor !== this.#orders };
  }

  /** The orders and holds as they are now. */
  #follow(): void {
    const orders = this.#deps.orders();
    if (orders === this.#orders || namesOf(orders) === namesOf(this.#orders)) return;
    this.#orders = orders;
    this.#index = new ErasureIndex(orders);
    for (const [position, debt] of this.#waiting)
      if (this.orderOf(debt) === undefined) this.#waiting.delete(position);
  }

  #beginPass(): void {
    if (!this.#isWhole || this.#passFor === this.#orders) return;
    this.#passFor = this.#orders;
    this.#isWhole = false;
    this.#heldBefore = this.#held;
    this.#held = 0;
    this.#next.clear();
    if (this.#saved?.names === namesOf(this.#orders)) {
      this.#held = this.#saved.held;
      for (const [partition, offset] of this.#saved.next) this.#next.set(partition, offset);
    }
    this.#saved = undefined;
  }

  /** `cut`: time is over. `waits`: the arbiter does not answer, or too many samples wait. */
  async #lookThrough(
    partition: number,
    to: Step & { readonly end: bigint },
  ): Promise<'whole' | 'cut' | 'waits'> {
    const from = this.#next.get(partition) ?? 0n;
    let [next, batch, isCut]: [bigint, Debt[], boolean] = [from, [], false];
    if (next >= to.end) return 'whole';
    if (this.#waiting.size >= MOST_WAITING) return 'waits';
    // Counted here, so that what is read again after a failure is not counted twice.
    let held = 0;
    const done = (): void => {
      this.#next.set(partition, next);
      this.#held += held;
      [batch, held] = [[], 0];
    };
    for await (const record of this.#deps.audit.read(partition, next)) {
      if (record.offset >= to.end) break;
      // At least one record, however slow the log is.
      isCut = to.signal.aborted || (next > from && this.#deps.elapsed() >= to.until);
      if (isCut) break;
      const event = auditEventIn(record.value);
      if (isStoredIn(this.#deps.region, event)) {
        const debt = debtOf(event, partition, record.offset);
        const found = this.#find(debt);
        if (found === 'held') held += 1;
        if (found === 'due') batch.push(debt);
      }
      next = record.offset + 1n;
      if (batch.length < BATCH) continue;
      if (!(await this.#erase(batch, to.sites))) return 'waits';
      done();
    }
    if (batch.length > 0 && !(await this.#erase(batch, to.sites))) return 'waits';
    done();
    return isCut ? 'cut' : 'whole';
  }

  #find(debt: Debt): 'held' | 'due' | 'none' {
    const sample = erasable(debt.event);
    if (this.#index.orderOf(sample) === undefined) return 'none';
    if (this.#deps.head.isErased(debt.holding.position)) {
      // Its event may be of a custodian that ended before it knew, after the register was kept.
      this.#deps.passed(debt);
      return 'none';
    }
    return this.#index.holdOf(sample) === undefined ? 'due' : 'held';
  }

  /** What waits is tried again. */
  async #again({ sites, until, signal }: Step): Promise<void> {
    const { elapsed } = this.#deps;
    if (this.#waiting.size === 0 || elapsed() < this.#retryAt) return;
    const due = [...this.#waiting.values()];
    for (let from = 0; from < due.length; from += BATCH) {
      if (signal.aborted || (from > 0 && elapsed() >= until)) break;
      const batch = due.slice(from, from + BATCH);
      // What still waits comes last the next time.
      for (const { holding } of batch) this.#waiting.delete(holding.position);
      if (await this.#erase(batch, sites)) continue;
      for (const debt of batch) this.#waiting.set(debt.holding.position, debt);
      break;
    }
    this.#retryMs =
      this.#waiting.size < due.length ? RETRY_MS : Math.min(2 * this.#retryMs, MOST_RETRY_MS);
    this.#retryAt = elapsed() + this.#retryMs;
  }

  /**
   * `false`: the arbiter does not answer. What is not erased otherwise waits. If a later site's error
   * needs a person, it is thrown once the other sites are done and their event is appended.
   */
  async #erase(debts: readonly Debt[], sites: readonly string[]): Promise<boolean> {
    const { head, now } = this.#deps;
    this.#follow();
    const ordered = debts.filter((debt) => this.orderOf(debt) !== undefined);
    const open = await this.#withSomethingLeft(ordered);
    const free = open.filter(({ holding }) => {
      const until = head.accesses.lockedUntil(holding.submission);
      return until === undefined || until + CLOCK_MARGIN_MS <= now();
    });
    let left = free;
    const errors: unknown[] = [];
    const done = new Map<Debt, ErasedSite[]>();
    for (const [index, name] of sites.entries()) {
      const isArbiter = index === 0;
      const erased = await this.#unlessFailed(name, () => this.#eraseIn(name, left)).catch(
        (error: unknown) => {
          if (isArbiter) throw error;
          errors.push(error);
          return undefined;
        },
      );
      if (isArbiter && erased === undefined) return false;
      for (const [debt, site] of erased ?? []) done.set(debt, [...(done.get(debt) ?? []), site]);
      // The others wait for the arbiter: a router that finds no tombstone there may write.
      if (isArbiter) left = [...done.keys()];
    }
    await this.#record(done);
    if (errors.length > 0) throw errors[0];
    for (const debt of open) if (!done.has(debt)) this.#waiting.set(debt.holding.position, debt);
    return true;
  }

  /**
   * Without the lost samples whose identity another stored sample has that no order reaches: a
   * tombstone would erase that one (docs/decisions/0054).
   */
  async #withSomethingLeft(debts: readonly Debt[]): Promise<readonly Debt[]> {
    const { head, samples } = this.#deps;
    const lost = debts.filter(({ holding }) => head.isLost(holding.position));
    if (lost.length === 0) return debts;
    const names = new KeySet();
    for (const { holding } of lost) names.add(holding.submission);
    // Each of `debts` has an order, so what stands is another one.
    const standing = new Set<string>();
    const { signal } = new AbortController();
    for await (const others of samples.among(await samples.offsetsOf(names), signal))
      for (const other of others)
        if (this.orderOf(other) === undefined) standing.add(other.holding.submission);
    return debts.filter((debt) => !lost.includes(debt) || !standing.has(debt.holding.submission));
  }

  /** `undefined`: erasing failed in the site now, or a short while ago. */
  async #unlessFailed<T>(name: string, work: () => Promise<T>): Promise<T | undefined> {
    const { erasing } = this.#deps.sites;
    if (erasing.isAway(name)) return undefined;
    const { value, away } = await unlessAway(work);
    if (away === undefined) erasing.answered(name);
    else erasing.failed(name, away);
    return value;
  }

  /** What is erased in one site. `undefined`: it is not asked now. Throws its errors, but no `park`. */
  async #eraseIn(
    name: string,
    debts: readonly Debt[],
  ): Promise<ReadonlyMap<Debt, ErasedSite> | undefined> {
    const site = await this.#deps.sites.site(name);
    if (typeof site === 'string') return undefined;
    const results = await Promise.all(
      debts.map(async (debt) => [debt, await this.#eraseOne(site, debt)] as const),
    );
    await site.flush();
    return new Map(
      results.flatMap(([debt, erased]) => (erased === undefined ? [] : [[debt, erased] as const])),
    );
  }

  async #eraseOne(site: CustodianSite, debt: Debt): Promise<ErasedSite | undefined> {
    const order = this.orderOf(debt);
    try {
      return order === undefined ? undefined : await this.eraseAt(site, debt, order);
    } catch (error) {
      if (remedyOf(error) === 'park') return undefined;
      throw error;
    }
  }

  /** As `eraseAt`; another stored sample under the key goes only if an order is about it too. */
  async eraseAt(site: CustodianSite, debt: Debt, order: string): Promise<ErasedSite | undefined> {
    return await eraseAt(site, debt, order, async (found) => {
      const { position } = found.metadata;
      const outcome = await this.#deps.outcomes.outcomeOf(parsePosition(position));
      if (outcome.state !== 'settled') return false;
      const { event } = outcome;
      return event.outcome !== 'stored' || this.orderOf({ event }) !== undefined;
    });
  }

  async #record(done: ReadonlyMap<Debt, readonly ErasedSite[]>): Promise<void> {
    const { head, now, erased } = this.#deps;
    const events = [...done].flatMap(([debt, sites]) => {
      const order = this.orderOf(debt);
      return order === undefined ? [] : [{ debt, data: erasedData(debt, order, sites) }];
    });
    await head.append({ erased: events.map(({ data }) => data) }, now());
    for (const { debt, data } of events) {
      this.#waiting.delete(debt.holding.position);
      erased(debt, data);
    }
  }
}

function namesOf({ orders, holds }: Orders): string {
  return sha256(
    Buffer.from(
      JSON.stringify([
        orders.map(({ act }) => act),
        holds.map(({ act, liftedAt }) => [act, liftedAt ?? null]),
      ]),
    ),
  );
}
