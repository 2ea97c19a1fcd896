import { NO_ERASURES } from '@residency/contracts';
import type {
  ClosedData,
  ControlState,
  CopiedData,
  ErasedData,
  LostData,
  RepairOrder,
  StoredEvent,
  UnpaidCode,
} from '@residency/contracts';
import { holdingOf } from '@residency/custody';
import type { StoredSample } from '@residency/custody';
import { defined } from '@residency/defined';
import type { PolicyView, SettledOutcomes } from '@residency/routing';
import type { AccessBook } from './access-book.ts';
import { AuditFold } from './audit-fold.ts';
import type { OnDiffers } from './audit-fold.ts';
import { CustodyHead } from './custody-head.ts';
import type { AccessFact } from './custody-head.ts';
import type { SiteDebts } from './debts.ts';
import { Erasures } from './erasures.ts';
import type { ErasureReport } from './erasures.ts';
import type { SavedErasures } from './saved-erasures.ts';
import { Losses } from './losses.ts';
import type { LossReport } from './losses.ts';
import { openRegister } from './open-register.ts';
import { unlessAway } from './unless-away.ts';
import type { PayDeps } from './pay-batch.ts';
import type { Register, RegisterTopics } from './register-format.ts';
import { RegisterKeeper } from './register-keeper.ts';
import type { RegisterKeeping } from './register-keeper.ts';
import { Repair } from './repair.ts';
import type { RepairCounts } from './repair.ts';
import { Payments } from './payments.ts';
import { RegionSites } from './region-sites.ts';
import { StoredSamples } from './stored-samples.ts';
import type { AuditFeed } from './ports/audit-feed.ts';
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
  /** Called for each sample that is lost once its event is appended. */
  readonly lost?: (lost: Omit<LostData, 'previous'>) => void;
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
  /** True if the sample was given up: no site has it. */
  isLost(stored: StoredEvent): boolean;
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
  readonly losses: LossReport;
  /** Orders that are not closed, with how far they are. */
  readonly repairs: readonly OpenRepair[];
}

export interface OpenRepair extends RepairCounts {
  readonly order: RepairOrder;
}

type Refusal = NonNullable<ClosedData['refused']>;

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
  readonly #keeper: RegisterKeeper;
  readonly #erasures: Erasures;
  readonly #losses: Losses;
  readonly #regionSites: RegionSites;
  readonly #samples: StoredSamples;
  readonly #payments: Payments;
  readonly #repairs = new Map<string, Repair>();
  #complete = false;
  #tookOver = false;
  /** Audit records read. */
  #read = 0;
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
    this.#regionSites = new RegionSites({ ...deps, region });
    this.#samples = new StoredSamples(region, deps.audit, this.#audit);
    this.#payments = new Payments({
      head,
      fold: this.#audit,
      sites: this.#regionSites,
      samples: this.#samples,
      pay: () => this.#payDeps,
      elapsed: deps.elapsed,
      copied: (copy) => {
        this.#copied += 1;
        deps.copied?.(copy);
      },
      erased: (data) => {
        deps.erased?.(data);
      },
      rest: () => this.#keepIfDue(),
    });
    this.#keeper = new RegisterKeeper(deps.register, deps.elapsed);
    this.#erasures = new Erasures(
      {
        region,
        head,
        sites: this.#regionSites,
        outcomes: deps.outcomes,
        samples: this.#samples,
        orders: () => deps.control().erasures ?? NO_ERASURES,
        now: deps.now,
        audit: deps.audit,
        elapsed: deps.elapsed,
        erased: (debt, data) => {
          this.#payments.erased(debt, data);
        },
        passed: (debt) => {
          this.#payments.oweTombstones(debt);
        },
      },
      erasures,
    );
    this.#losses = new Losses({
      region,
      head,
      sites: this.#regionSites,
      samples: this.#samples,
      outcomes: deps.outcomes,
      orders: () => deps.control().losses ?? [],
      isErasureDue: (event) => this.#erasures.isDue(event, deps.control().erasures ?? NO_ERASURES),
      now: deps.now,
      elapsed: deps.elapsed,
      lost: (debt, data) => {
        this.#payments.lost(debt);
        deps.lost?.(data);
      },
    });
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
    custodian.#read += await custodian.#payments.strikePaid();
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
      isLost: (event) => this.#audit.isLost(event),
      append: (decide, at) => head.appendAccess(decide, at),
      confirm: () => head.confirm(),
      sitesWith: (stored) =>
        head.isLost(stored.position)
          ? []
          : this.#audit
              .withCopies(holdingOf(stored))
              .copies.map(({ site }) => site)
              .filter((site) => this.#regionSites.mayAsk(site)),
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
    this.#payments.lookAgain();
    for (const partition of await this.#deps.audit.partitions())
      if (!signal.aborted) await this.#findDebts(partition, signal);
    if (!signal.aborted) this.#foundAll();
    if (!signal.aborted) await this.#erase(signal);
    if (!signal.aborted) await this.#giveUp(signal);
    for (const site of this.#sites) if (!signal.aborted) await this.#payments.pay(site, signal);
    for (const repair of this.#openRepairs()) if (!signal.aborted) await this.#goOn(repair, signal);
    return this.report();
  }

  /** The debts as they are now, also in the middle of a round. */
  report(): RoundReport {
    return {
      copied: this.#copied,
      complete: this.#complete,
      busy: this.#busy || this.#copied > 0,
      debts: new Map(this.#sites.map((site) => [site, this.#payments.of(site)])),
      unpaid: this.#payments.unpaid,
      waiting: new Map(
        this.#sites.flatMap((site) => {
          const waiting = this.#regionSites.calls.waiting(site);
          return waiting === undefined ? [] : [[site, waiting] as const];
        }),
      ),
      erasures: this.#erasures.report(
        Math.max(0, ...this.#sites.map((site) => this.#head.unerasedIn(site))),
      ),
      losses: this.#losses.report,
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
    const { log, region } = this.#deps.custody;
    const head = this.#head.save();
    const erasures = this.#erasures.save();
    return {
      log,
      region,
      topics,
      head,
      ...this.#audit.save(),
      debts: this.#payments.copy().save(),
      ...defined({ erasures }),
    };
  }

  #foundAll(): void {
    this.#complete = true;
    if (this.#tookOver) return;
    this.#tookOver = true;
    this.#deps.tookOver?.({ auditRecords: this.#read, custodyRecords: this.#head.followed });
  }

  /** If other sites serve than before, everything is looked through once more. */
  async #findSites(): Promise<void> {
    const found = await this.#regionSites.find();
    if (found.length === this.#sites.length && found.every((site) => this.#sites.includes(site)))
      return;
    this.#audit.restart(found);
    this.#complete = false;
    this.#payments.restart();
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

  get #sites(): readonly string[] {
    return this.#audit.sites;
  }

  get #payDeps(): PayDeps {
    const { outcomes, now } = this.#deps;
    return {
      outcomes,
      now,
      head: this.#head,
      erasures: this.#erasures,
      sources: this.#regionSites,
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

  async #giveUp(signal: AbortSignal): Promise<void> {
    const { busy } = await this.#losses.step(this.#sites, signal);
    this.#busy ||= busy;
  }

  #isErased(event: StoredEvent): boolean {
    return (
      this.#audit.isErased(event) ||
      this.#erasures.isOrdered(event, this.#deps.control().erasures ?? NO_ERASURES)
    );
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
          batches: (site, from, signal) => this.#samples.in(site, from, signal),
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
    const sites = this.#regionSites;
    if (!sites.isKnown(name)) {
      // Not even opened: its marker is another region's, which would end this process.
      await this.#close(repair, 'SITE_NOT_OF_REGION');
      return;
    }
    // An order for a site that is out waits until it is back.
    if (sites.isOut(name) || sites.calls.isAway(name)) return;
    const { value: site, away: closed } = await unlessAway(() => sites.open(name));
    const { done, waits, away } =
      site === undefined
        ? { done: false, away: closed }
        : { waits: false, ...(await repair.step(site, signal)) };
    if (away !== undefined) {
      sites.calls.failed(name, away);
      return;
    }
    sites.calls.answered(name);
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
}
