import { NO_ERASURES, formatPosition, serviceOf, sitesInService } from '@residency/contracts';
import type {
  ClosedData,
  ControlState,
  CopiedData,
  ErasedData,
  RepairOrder,
  StoredEvent,
  UnpaidCode,
} from '@residency/contracts';
import { holdingOf } from '@residency/custody';
import type { StoredSample } from '@residency/custody';
import { defined } from '@residency/defined';
import { policyInForce, validPolicies } from '@residency/residency';
import type { PolicyDocument } from '@residency/residency';
import { BackOff } from '@residency/routing';
import type { PolicyView, SettledOutcomes } from '@residency/routing';
import type { AccessBook } from './access-book.ts';
import { AuditFold } from './audit-fold.ts';
import type { OnDiffers } from './audit-fold.ts';
import { CustodyHead } from './custody-head.ts';
import type { AccessFact } from './custody-head.ts';
import { debtIn } from './debt.ts';
import type { Debt } from './debt.ts';
import type { Sources } from './copy-sample.ts';
import type { Debts, SiteDebts } from './debts.ts';
import { Erasures } from './erasures.ts';
import type { ErasureReport, SavedErasures } from './erasures.ts';
import { openRegister } from './open-register.ts';
import { payBatch } from './pay-batch.ts';
import { unlessAway } from './unless-away.ts';
import type { PayDeps } from './pay-batch.ts';
import type { Register, RegisterTopics } from './register-format.ts';
import { RegisterKeeper } from './register-keeper.ts';
import type { RegisterKeeping } from './register-keeper.ts';
import { Repair } from './repair.ts';
import type { RepairCounts } from './repair.ts';
import type { AuditFeed, AuditFeedRecord } from './ports/audit-feed.ts';
import type { CustodianSite } from './ports/custodian-site.ts';
import type { CustodianSites } from './ports/custodian-sites.ts';
import type { CustodyLog } from './ports/custody-log.ts';

export interface CustodianDeps {
  /** Opened: nobody else can append to it. */
  readonly custody: CustodyLog;
  readonly audit: AuditFeed;
  readonly sites: CustodianSites;
  readonly outcomes: SettledOutcomes;
  readonly policies: PolicyView;
  /** Every order known by now, of any region, done or not; and which sites serve. */
  readonly control: () => ControlState;
  /** Wall clock, milliseconds. */
  readonly now: () => number;
  /** A monotonic clock, milliseconds. */
  readonly elapsed: () => number;
  /** Uniform, from 0 up to 1. */
  readonly random: () => number;
  /** Called for each copy once its event is appended. */
  readonly copied?: (copy: Omit<CopiedData, 'previous'>) => void;
  /** Called for each erased sample once its event is appended. */
  readonly erased?: (erased: Omit<ErasedData, 'previous'>) => void;
  /** Called for each order once its closing event is appended. */
  readonly closed?: (order: Omit<ClosedData, 'previous'>) => void;
  /**
   * Called for each stored sample that is read and whose copy's event names another ciphertext or
   * sample. The copy counts as owed.
   */
  readonly differs?: OnDiffers;
  /** Called once all debts are found for the first time, before any is paid. */
  readonly tookOver?: (takeOver: TakeOver) => void;
  /** Absent: every start reads both logs from their start. */
  readonly register?: RegisterKeeping;
}

/** What was read until all debts were known. */
export interface TakeOver {
  readonly auditRecords: number;
  readonly custodyRecords: number;
}

/** What the active custodian of a region knows and may do about accesses. Errors: `CustodyLog`'s. */
export interface AccessDesk {
  /** The log's name, the first part of positions. */
  readonly log: string;
  /** Of all regions. */
  readonly audit: AuditFeed;
  readonly book: Pick<AccessBook, 'get' | 'refusedApproval' | 'refusalsSince' | 'usedSince'>;
  /**
   * Appends the event that `decide` returns, if any, while nothing else is appended. `at`: wall clock,
   * milliseconds.
   */
  append(decide: (book: AccessDesk['book']) => AccessFact | undefined, at: number): Promise<void>;
  /** Resolves if this custodian was the active one when it was called. */
  confirm(): Promise<void>;
  /** The region's sites in service, the arbiter first. */
  serving(): readonly string[];
  /** True if the sample is erased, or an order says that it is to be, hold or not. */
  isErased(stored: StoredEvent): boolean;
  /** The region's sites that have the sample's ciphertext, by the events; none that is out of service. */
  sitesWith(stored: StoredSample): readonly string[];
}

/** A region's debts after a round. */
export interface RoundReport {
  /** Copies whose events were appended in this round. */
  readonly copied: number;
  /** Every audit record up to the last look was looked through: the debts are all there are. */
  readonly complete: boolean;
  /** By site, also those without a debt. */
  readonly debts: ReadonlyMap<string, SiteDebts>;
  /** Copies that a person must look at, by code. */
  readonly unpaid: ReadonlyMap<UnpaidCode, number>;
  /** Why a site gets no copies at present. */
  readonly waiting: ReadonlyMap<string, unknown>;
  /** There is more to do at once. */
  readonly busy: boolean;
  readonly erasures: ErasureReport;
  /** Orders that are not closed, with how far they are. */
  readonly repairs: readonly OpenRepair[];
}

export interface OpenRepair extends RepairCounts {
  readonly order: RepairOrder;
}

type Refusal = NonNullable<ClosedData['refused']>;

const BATCH = { copies: 16, bytes: 32 * 1024 * 1024 };
const RETRY = { firstMs: 1_000, mostMs: 30_000 };
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

interface SiteState {
  readonly backOff: BackOff;
  /** Not tried before this time. */
  retryAt: number;
  waiting: unknown;
}

/**
 * Pays the copies that sites of one region owe. A copy is owed by each site in service of the
 * region's policy in force that the holding's ciphertext is not in, whatever the `stored` event
 * says: so a site that a later version adds is filled, and a second ciphertext is replaced
 * (docs/decisions/0037).
 *
 * Use it from one place at a time. After any rejection of `round`, drop it and open the custody log
 * again: what has an event by then is not copied twice.
 */
export class Custodian {
  readonly #deps: CustodianDeps;
  readonly #head: CustodyHead;
  readonly #audit: AuditFold;
  readonly #debts: Debts;
  readonly #keeper: RegisterKeeper;
  readonly #erasures: Erasures;
  /** Sites in which a tombstone could not be put: not tried before this time. */
  readonly #eraseAt = new Map<string, number>();
  readonly #states = new Map<string, SiteState>();
  readonly #unpaid = new Map<string, Unpaid>();
  readonly #repairs = new Map<string, Repair>();
  /** The region's sites by all valid policy versions. */
  #known: ReadonlySet<string> = new Set();
  /** Sites that are out of service: nothing is asked of them. */
  #out: ReadonlySet<string> = new Set();
  #complete = false;
  #tookOver = false;
  /** Audit records read. */
  #read = 0;
  #lookAgainAt = 0;
  #copied = 0;
  #busy = false;

  private constructor(
    deps: CustodianDeps,
    head: CustodyHead,
    audit?: AuditFold,
    erasures?: SavedErasures,
  ) {
    const { region } = deps.custody;
    this.#deps = deps;
    this.#head = head;
    this.#audit = audit ?? new AuditFold({ region, head });
    this.#debts = this.#audit.debts;
    this.#keeper = new RegisterKeeper(deps.register, deps.elapsed);
    this.#erasures = new Erasures(
      {
        region,
        head,
        sources: this.#sources,
        outcomes: deps.outcomes,
        orders: () => deps.control().erasures ?? NO_ERASURES,
        now: deps.now,
        audit: deps.audit,
        elapsed: deps.elapsed,
        erased: (debt, data) => {
          this.#erased(debt, data);
        },
        passed: (debt) => {
          this.#oweTombstones(debt);
        },
      },
      erasures,
    );
  }

  /**
   * Reads what is new since its register was saved, or the whole custody log; and the region's sites.
   * Throws as `CustodyLog.read` and `PolicyView.read`.
   */
  static async begin(deps: CustodianDeps): Promise<Custodian> {
    const custodian =
      (await Custodian.#resume(deps)) ?? new Custodian(deps, await CustodyHead.read(deps.custody));
    // The desk may open before the first round. Without sites it would refuse every submission.
    await custodian.#findSites();
    await custodian.#strikePaid();
    return custodian;
  }

  /** `undefined`: there is no register, or it is not of these logs. */
  static async #resume(deps: CustodianDeps): Promise<Custodian | undefined> {
    const { custody, audit, register: keeping } = deps;
    if (keeping === undefined) return undefined;
    const opened = await openRegister({ ...keeping, custody, audit });
    if (opened === undefined) return undefined;
    const { register: saved, head, last, bytes, at } = opened;
    keeping.opened({ bytes, at });
    const { region } = custody;
    const fold = new AuditFold({ region, head, saved, last });
    return new Custodian(deps, head, fold, saved.erasures);
  }

  /** Valid as long as this custodian is used. */
  get accesses(): AccessDesk {
    const head = this.#head;
    return {
      log: this.#deps.custody.log,
      audit: this.#deps.audit,
      book: head.accesses,
      serving: () => this.#sites,
      isErased: (event) => this.#isErased(event),
      append: (decide, at) => head.appendAccess(decide, at),
      confirm: () => head.confirm(),
      sitesWith: (stored) =>
        this.#audit
          .withCopies(holdingOf(stored))
          .copies.map(({ site }) => site)
          .filter((site) => this.#mayAsk(site)),
    };
  }

  /** Records in the custody log that are no custody events of the region. */
  get passedOver(): number {
    return this.#head.passedOver;
  }

  /**
   * Finds new debts and pays what can be paid. A site that does not answer keeps its debts and is
   * tried again later. Ends early, without an error, once `signal` is aborted. Throws the logs'
   * errors, and `stop` if a site's marker is another's.
   */
  async round(signal: AbortSignal): Promise<RoundReport> {
    this.#copied = 0;
    this.#busy = false;
    // An access's event may have failed since the last round.
    this.#head.requireWhole();
    await this.#findSites();
    this.#lookAgain();
    for (const partition of await this.#deps.audit.partitions())
      if (!signal.aborted) await this.#findDebts(partition, signal);
    if (!signal.aborted) this.#foundAll();
    if (!signal.aborted) await this.#erase(signal);
    for (const site of this.#sites) if (!signal.aborted) await this.#pay(site, signal);
    for (const repair of this.#openRepairs()) if (!signal.aborted) await this.#goOn(repair, signal);
    return this.report();
  }

  /** The debts as they are now, also in the middle of a round. */
  report(): RoundReport {
    const unpaid = [...this.#unpaid.values()];
    return {
      copied: this.#copied,
      complete: this.#complete,
      busy: this.#busy || this.#copied > 0,
      debts: new Map(this.#sites.map((site) => [site, this.#debtsOf(site, unpaid)])),
      unpaid: countBy(unpaid.map(({ code }) => code)),
      waiting: new Map(
        this.#sites.flatMap((site) => {
          const waiting = this.#states.get(site)?.waiting;
          return waiting === undefined ? [] : [[site, waiting] as const];
        }),
      ),
      erasures: this.#erasures.report(
        Math.max(0, ...this.#sites.map((site) => this.#head.unerasedIn(site))),
      ),
      repairs: [...this.#repairs.values()].map(({ order, counts }) => ({ order, ...counts })),
    };
  }

  /** Saves the register, if there is anything new in it. Never rejects. */
  async keep(): Promise<void> {
    if (!this.#head.isPlaced) return;
    await this.#keeper.keep(this.#followed, (topics) => this.#save(topics));
  }

  /** Call where no debt is between its event and its strike. */
  async #keepIfDue(): Promise<void> {
    if (this.#keeper.isDue(this.#followed)) await this.keep();
  }

  get #followed(): number {
    return this.#read + this.#head.followed;
  }

  #save(topics: RegisterTopics): Register {
    const debts = this.#debts.copy();
    for (const { site, partition, offset, at } of this.#unpaid.values())
      debts.add(site, partition, offset, at);
    const { log, region } = this.#deps.custody;
    const head = this.#head.save();
    const erasures = this.#erasures.save();
    return {
      log,
      region,
      topics,
      head,
      ...this.#audit.save(),
      debts: debts.save(),
      ...defined({ erasures }),
    };
  }

  #foundAll(): void {
    this.#complete = true;
    if (this.#tookOver) return;
    this.#tookOver = true;
    this.#deps.tookOver?.({ auditRecords: this.#read, custodyRecords: this.#head.followed });
  }

  /**
   * Strikes what was paid after the register was saved. Only the sites that got copies since are looked
   * through, from their first debt to their last.
   */
  async #strikePaid(): Promise<void> {
    const { audit } = this.#deps;
    for (const site of this.#sites) {
      if (!this.#head.copiedTo.has(site)) continue;
      const left: number[] = [];
      for (const partition of this.#audit.partitions) {
        const first = this.#debts.first(site, partition);
        let count = this.#debts.count(site, partition);
        if (first === undefined) continue;
        for await (const record of audit.read(partition, first)) {
          this.#read += 1;
          if (!this.#debts.has(site, partition, record.offset)) continue;
          const debt = this.#heldIn(partition, record);
          if (debt !== undefined && this.#audit.owing(debt).includes(site)) left.push(debt.at);
          else this.#debts.paid(site, partition, record.offset);
          count -= 1;
          if (count === 0) break;
        }
      }
      this.#debts.left(site, oldestOf(left));
    }
  }

  #debtsOf(site: string, unpaid: readonly Unpaid[]): SiteDebts {
    const { owed, oldestAt } = this.#debts.of(site);
    const left = unpaid
      .filter((one) => one.site === site && !this.#debts.has(site, one.partition, one.offset))
      .map(({ at }) => at);
    const oldest = oldestOf(oldestAt === undefined ? left : [oldestAt, ...left]);
    return { owed: owed + left.length, ...defined({ oldestAt: oldest }) };
  }

  /** If the policy names other sites than before, everything is looked through once more. */
  async #findSites(): Promise<void> {
    const { versions } = await this.#deps.policies.read();
    const ofRegion = ({ regions }: PolicyDocument): readonly string[] =>
      regions.find(({ id }) => id === this.#deps.custody.region)?.sites ?? [];
    this.#known = new Set(validPolicies(versions).flatMap(({ document }) => ofRegion(document)));
    const inForce = policyInForce(versions, this.#deps.now());
    const service = serviceOf(this.#deps.control(), this.#deps.custody.region);
    const sites = inForce === undefined ? [] : sitesInService(service, ofRegion(inForce.document));
    this.#out = new Set([...service.out.keys()].filter((site) => !sites.includes(site)));
    if (sites.length === this.#sites.length && sites.every((site) => this.#sites.includes(site)))
      return;
    this.#audit.restart(sites);
    this.#complete = false;
    this.#unpaid.clear();
  }

  /**
   * Debts that a person must look at are tried again after a while: the cause may be gone. They stay
   * reported until they are paid.
   */
  #lookAgain(): void {
    if (this.#deps.elapsed() < this.#lookAgainAt) return;
    this.#lookAgainAt = this.#deps.elapsed() + LOOK_AGAIN_MS;
    for (const { site, partition, offset, at } of this.#unpaid.values())
      this.#debts.add(site, partition, offset, at);
  }

  async #findDebts(partition: number, signal: AbortSignal): Promise<void> {
    const { audit, differs } = this.#deps;
    for await (const record of audit.read(partition, this.#audit.next(partition))) {
      if (signal.aborted) return;
      this.#audit.follow(partition, record, differs);
      this.#read += 1;
      if (this.#keeper.isDue(this.#followed)) await this.keep();
    }
  }

  /** A stored sample of the region with all its copies; `undefined`: the record is none. */
  #heldIn(partition: number, record: AuditFeedRecord): Debt | undefined {
    const debt = debtIn(partition, record, this.#deps.custody.region);
    return debt === undefined ? undefined : this.#audit.held(debt);
  }

  get #sites(): readonly string[] {
    return this.#audit.sites;
  }

  /** False for a site of no policy version: its marker may be another region's. */
  #mayAsk(site: string): boolean {
    return this.#known.has(site) && !this.#out.has(site);
  }

  async #pay(name: string, signal: AbortSignal): Promise<void> {
    if (this.#debts.of(name).owed === 0) return;
    const state = this.#state(name);
    if (this.#deps.elapsed() < state.retryAt) return;
    const { value: site, away } = await unlessAway(() => this.#deps.sites.site(name));
    const error = site === undefined ? away : await this.#payAll(site, signal);
    if (error === undefined) this.#answers(state);
    else this.#away(state, error);
  }

  /** Returns why a site does not answer; `undefined`: all of them do. */
  async #payAll(site: CustodianSite, signal: AbortSignal): Promise<unknown> {
    const left: number[] = [];
    // What is erased elsewhere goes before any copy comes.
    if (this.#head.unerasedIn(site.site) > 0) {
      const error = await this.#payEach(site, signal, left, (debt) =>
        debt.isErased ? this.#mayErase(site.site) : undefined,
      );
      if (error !== undefined) return error;
    }
    // What is ordered to be erased gets no copy any more.
    const error = await this.#payEach(site, signal, left, (debt) =>
      debt.isErased ? undefined : this.#erasures.orderOf(debt) === undefined,
    );
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
    for (const partition of await this.#deps.audit.partitions()) {
      for await (const debts of this.#batches(site.site, partition, isWanted, signal)) {
        if (signal.aborted) return undefined;
        const { stay, away } = await this.#payBatch(site, debts);
        if (away !== undefined) return away;
        left.push(...stay);
        await this.#keepIfDue();
      }
    }
    return undefined;
  }

  #mayErase(site: string): boolean {
    return this.#deps.elapsed() >= (this.#eraseAt.get(site) ?? -Infinity);
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
      yield* this.#batch(partition, first, {
        most: this.#debts.count(site, partition),
        record: ({ offset }) => this.#debts.has(site, partition, offset),
        debt: isWanted,
        signal,
      });
  }

  /** Stored samples of one partition, in order, in batches that fit into memory. */
  async *#batch(
    partition: number,
    from: bigint,
    wanted: {
      /** Reading ends once so many were found. */
      readonly most: number;
      readonly signal: AbortSignal;
      /** Before the record is decoded. */
      readonly record: (record: AuditFeedRecord) => boolean;
      readonly debt: (debt: Debt) => boolean;
    },
  ): AsyncGenerator<readonly Debt[]> {
    const { audit } = this.#deps;
    const end = this.#audit.next(partition);
    let [batch, bytes, found]: [Debt[], number, number] = [[], 0, 0];
    for await (const record of audit.read(partition, from)) {
      if (record.offset >= end || wanted.signal.aborted) break;
      if (!wanted.record(record)) continue;
      found += 1;
      const debt = this.#heldIn(partition, record);
      if (debt === undefined || !wanted.debt(debt)) continue;
      // The source's bytes, and what is set aside.
      const needs = 2 * debt.holding.sealedBytes;
      if (batch.length >= BATCH.copies || (batch.length > 0 && bytes + needs > BATCH.bytes)) {
        yield batch;
        [batch, bytes] = [[], 0];
      }
      batch.push(debt);
      bytes += needs;
      if (found >= wanted.most) break;
    }
    if (batch.length > 0) yield batch;
  }

  /** Returns the times of the debts that stay, for the oldest of them. */
  async #payBatch(
    site: CustodianSite,
    debts: readonly Debt[],
  ): Promise<{ readonly stay: readonly number[]; readonly away?: unknown }> {
    const { paid, erased, unpaid, away, notErased } = await payBatch(site, debts, this.#payDeps);
    if (notErased !== undefined) this.#eraseAt.set(site.site, this.#deps.elapsed() + RETRY.mostMs);
    const done = new Set<Debt>();
    for (const { debt, copy } of paid) {
      done.add(debt);
      this.#debts.paid(site.site, debt.partition, debt.offset);
      this.#unpaid.delete(nameOf(site.site, debt));
      this.#deps.copied?.(copy);
    }
    for (const { debt, data } of erased) {
      done.add(debt);
      this.#erased(debt, data);
    }
    this.#copied += paid.length;
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

  get #payDeps(): PayDeps {
    const { outcomes, now } = this.#deps;
    return {
      outcomes,
      now,
      head: this.#head,
      erasures: this.#erasures,
      sources: this.#sources,
    };
  }

  get #sources(): Sources {
    return {
      site: async (name) => {
        if (!this.#mayAsk(name)) return 'unknown';
        const { retryAt } = this.#state(name);
        return this.#deps.elapsed() < retryAt ? 'away' : await this.#deps.sites.site(name);
      },
      failed: (name, error) => {
        this.#away(this.#state(name), error);
      },
    };
  }

  async #erase(signal: AbortSignal): Promise<void> {
    const { busy } = await this.#erasures.step(
      this.#sites,
      (partition) => this.#audit.next(partition),
      signal,
    );
    this.#busy ||= busy;
    await this.#keepIfDue();
  }

  /** The sites that the event names owe nothing more; the others owe a tombstone. */
  #erased(debt: Debt, data: Omit<ErasedData, 'previous'>): void {
    const { partition, offset } = debt;
    for (const { site } of data.sites) this.#debts.paid(site, partition, offset);
    for (const site of this.#sites) this.#unpaid.delete(nameOf(site, debt));
    this.#oweTombstones(debt);
    this.#deps.erased?.(data);
  }

  #oweTombstones(debt: Debt): void {
    const { partition, offset, at, holding } = debt;
    for (const site of this.#sites)
      if (!this.#head.isErasedIn(site, holding.position))
        this.#debts.add(site, partition, offset, at);
  }

  #isErased(event: StoredEvent): boolean {
    const { position } = event;
    return (
      this.#head.isErased(formatPosition(position)) ||
      this.#erasures.isOrdered(event, this.#deps.control().erasures ?? NO_ERASURES)
    );
  }

  /** The site is not asked again for a while. */
  #away(state: SiteState, error: unknown): void {
    // Several calls fail at once; they are one failure.
    if (this.#deps.elapsed() < state.retryAt) return;
    state.waiting = error;
    state.retryAt = this.#deps.elapsed() + state.backOff.next();
  }

  #answers(state: SiteState): void {
    state.waiting = undefined;
    state.backOff.reset();
  }

  #openRepairs(): readonly Repair[] {
    const { region } = this.#deps.custody;
    for (const order of this.#deps.control().repairs ?? []) {
      if (order.region !== region || this.#head.isClosed(order.act) || this.#repairs.has(order.act))
        continue;
      const { elapsed, copied } = this.#deps;
      this.#repairs.set(
        order.act,
        new Repair(order, {
          ...this.#payDeps,
          elapsed,
          batches: (site, from, signal) => this.#copiesIn(site, from, signal),
          copied: (copy) => {
            this.#copied += 1;
            copied?.(copy);
          },
        }),
      );
    }
    return [...this.#repairs.values()];
  }

  async #goOn(repair: Repair, signal: AbortSignal): Promise<void> {
    const { site: name } = repair.order;
    if (!this.#known.has(name)) {
      // Not even opened: its marker is another region's, which would end this process.
      await this.#close(repair, 'SITE_NOT_OF_REGION');
      return;
    }
    const state = this.#state(name);
    // An order for a site that is out waits until it is back.
    if (this.#out.has(name) || this.#deps.elapsed() < state.retryAt) return;
    const { value: site, away: closed } = await unlessAway(() => this.#deps.sites.site(name));
    const { done, waits, away } =
      site === undefined
        ? { done: false, away: closed }
        : { waits: false, ...(await repair.step(site, signal)) };
    if (away !== undefined) {
      this.#away(state, away);
      return;
    }
    this.#answers(state);
    await this.#keepIfDue();
    if (!done) {
      this.#busy ||= waits !== true && repair.order.perSecond === undefined;
      return;
    }
    await this.#close(repair);
  }

  async #close({ order: { act, site }, counts }: Repair, refused?: Refusal): Promise<void> {
    const { region } = this.#deps.custody;
    const closed = { region, order: act, site, ...counts, ...defined({ refused }) };
    await this.#head.close(closed, this.#deps.now());
    this.#repairs.delete(act);
    this.#deps.closed?.(closed);
  }

  /** The stored samples that a site has a copy of, in batches that fit into memory. */
  async *#copiesIn(
    site: string,
    from: ReadonlyMap<number, bigint>,
    signal: AbortSignal,
  ): AsyncGenerator<readonly Debt[]> {
    for (const partition of await this.#deps.audit.partitions())
      yield* this.#batch(partition, from.get(partition) ?? 0n, {
        most: Infinity,
        signal,
        record: () => true,
        debt: (debt) =>
          debt.isErased
            ? !this.#audit.owing(debt).includes(site)
            : debt.holding.copies.some((copy) => copy.site === site),
      });
  }

  #state(site: string): SiteState {
    let state = this.#states.get(site);
    if (state === undefined)
      this.#states.set(
        site,
        (state = {
          backOff: new BackOff(RETRY, this.#deps.random),
          retryAt: -Infinity,
          waiting: undefined,
        }),
      );
    return state;
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
