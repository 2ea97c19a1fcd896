import {
  ACCESS_APPROVED,
  ACCESS_REFUSED,
  ACCESS_REQUESTED,
  LOSS_CLOSED,
  LOSS_REFUSED,
  ORDER_CLOSED,
  SAMPLE_ACCESSED,
  SAMPLE_COPIED,
  SAMPLE_ERASED,
  SAMPLE_LOST,
  SAMPLE_NOT_REPAIRED,
  custodyDigest,
  custodyEntry,
  custodyEventIn,
  isAccessEvent,
} from '@residency/contracts';
import type {
  ClosedData,
  CopiedData,
  CustodyEvent,
  ErasedData,
  LossClosedData,
  LossRefusedData,
  LostData,
  NotRepairedData,
} from '@residency/contracts';
import { defined } from '@residency/defined';
import { remedyOf } from '@residency/coded-error';
import { AccessBook } from './access-book.ts';
import { CopyPrints } from './copy-prints.ts';
import type { SavedPrints } from './copy-prints.ts';
import { OffsetSets } from './offset-sets.ts';
import type { SavedSet } from './offset-sets.ts';
import { placeOf } from './place-of.ts';
import type { Holding } from '@residency/custody';
import type { CustodyLog, CustodyReading, CustodyRecord } from './ports/custody-log.ts';

/** An event without its place in the log. */
type Fact = CustodyEvent extends infer Event
  ? Event extends CustodyEvent
    ? Pick<Event, 'type' | 'data'>
    : never
  : never;

/** What an event about an access says; the region and the event before it are the log's. */
export type AccessFact = Fact extends infer Event
  ? Event extends Fact
    ? Event extends { readonly data: { readonly access: string } }
      ? Pick<Event, 'type'> & { readonly data: Omit<Event['data'], 'previous' | 'region'> }
      : never
    : never
  : never;

/** The last event of a custody log that counts. */
export interface CustodyEnd {
  readonly offset: bigint;
  readonly sequence: number;
  /** Its digest. */
  readonly digest: string;
}

/** For a register. */
export interface SavedHead {
  /** Absent: there was none. */
  readonly end?: CustodyEnd;
  readonly prints: SavedPrints;
  readonly closed: readonly string[];
  readonly repaired: readonly SavedSet[];
  readonly notRepaired: readonly SavedSet[];
  /** Samples that a site has a tombstone of. */
  readonly erased: readonly SavedSet[];
  /** Samples that were given up; by open order those that are lost by it, and those that are not. */
  readonly lost: readonly SavedSet[];
  readonly lossRefused: readonly SavedSet[];
  /** Values of events about accesses of the last 48 hours, in order. */
  readonly accesses: readonly Buffer[];
}

/** Beside the names of sites: no site has this name. */
const ANYWHERE = '';

const NOTHING: SavedHead = {
  prints: { pages: [], later: [] },
  closed: [],
  repaired: [],
  notRepaired: [],
  erased: [],
  lost: [],
  lossRefused: [],
  accesses: [],
};

/** Events of one transaction, each list in order, the lists in this order. */
export interface CustodyFacts {
  readonly copies?: readonly Omit<CopiedData, 'previous'>[];
  readonly notRepaired?: readonly Omit<NotRepairedData, 'previous'>[];
  readonly erased?: readonly Omit<ErasedData, 'previous'>[];
  readonly lost?: readonly Omit<LostData, 'previous'>[];
  readonly lossRefused?: readonly Omit<LossRefusedData, 'previous'>[];
  readonly lossClosed?: readonly Omit<LossClosedData, 'previous'>[];
}

/**
 * What a custodian knows of its region's custody log: its last event, and who has got a copy. With a
 * `CustodyReading` it cannot append.
 */
export class CustodyHead<Log extends CustodyReading = CustodyLog> {
  readonly #log: Log;
  readonly #copied: CopyPrints;
  readonly #closed: Set<string>;
  /** By open order in the place of the site: what it made anew, and what it could not. */
  readonly #repaired: OffsetSets;
  readonly #notRepaired: OffsetSets;
  readonly #copiedTo = new Set<string>();
  readonly accesses = new AccessBook();
  #end: CustodyEnd | undefined;
  #passedOver = 0;
  readonly #erased: OffsetSets;
  readonly #lost: OffsetSets;
  readonly #lossRefused: OffsetSets;
  #followed = 0;
  /** Ends when the last call that appends has ended. */
  /** The next confirmation, until it begins. */
  #confirmation: Promise<void> | undefined;
  #turn: Promise<unknown> = Promise.resolve();
  #broken: { readonly error: unknown } | undefined;

  private constructor(
    log: Log,
    { end, prints, closed, repaired, notRepaired, accesses, ...sets }: SavedHead,
  ) {
    this.#log = log;
    this.#copied = CopyPrints.of(prints);
    this.#closed = new Set(closed);
    this.#repaired = OffsetSets.of(repaired);
    this.#notRepaired = OffsetSets.of(notRepaired);
    this.#erased = OffsetSets.of(sets.erased);
    this.#lost = OffsetSets.of(sets.lost);
    this.#lossRefused = OffsetSets.of(sets.lossRefused);
    this.#end = end;
    for (const value of accesses) {
      const event = custodyEventIn(value);
      if (event !== undefined && isAccessEvent(event)) this.accesses.follow(event, value);
    }
  }

  /** Reads the log to its end. Throws as `CustodyLog.read`. */
  static async read<Log extends CustodyReading>(log: Log): Promise<CustodyHead<Log>> {
    const head = new CustodyHead(log, NOTHING);
    for await (const record of log.read()) head.#follow(record);
    return head;
  }

  /**
   * Reads what came after `saved`, which is kept and changed. `undefined`: the log does not have its
   * last event. Throws as `CustodyLog.read`.
   */
  static async resume<Log extends CustodyReading>(
    log: Log,
    saved: SavedHead,
  ): Promise<CustodyHead<Log> | undefined> {
    const { end } = saved;
    const head = new CustodyHead(log, saved);
    let found = end === undefined;
    try {
      for await (const record of log.read(end?.offset)) {
        if (found) head.#follow(record);
        else if (record.offset !== end?.offset || custodyDigest(record.value) !== end.digest) break;
        else found = true;
      }
    } catch (error) {
      // The log ends before it, or cannot be read from its start either.
      if (remedyOf(error) !== 'stop') throw error;
      return undefined;
    }
    return found ? head : undefined;
  }

  /** The offset of its last event is known, so a register can name it. */
  get isPlaced(): boolean {
    return this.#end === undefined || this.#end.offset >= 0n;
  }

  /** Not a copy: the arrays change with this instance. */
  save(): SavedHead {
    return {
      ...defined({ end: this.#end }),
      prints: this.#copied.save(),
      closed: [...this.#closed],
      repaired: this.#repaired.save(),
      notRepaired: this.#notRepaired.save(),
      erased: this.#erased.save(),
      lost: this.#lost.save(),
      lossRefused: this.#lossRefused.save(),
      accesses: this.accesses.save(),
    };
  }

  /** Records that were followed: read, or appended. */
  get followed(): number {
    return this.#followed;
  }

  /** Sites about which events were read that were not in `saved`, or appended. */
  get copiedTo(): ReadonlySet<string> {
    return this.#copiedTo;
  }

  /** Records that are no custody events of this region, or repeat an earlier one's number. */
  get passedOver(): number {
    return this.#passedOver;
  }

  /**
   * Whether the site got the holding's copy. `differs`: the events that say that it got one name another
   * ciphertext or sample, so they do not count.
   */
  copyIn(site: string, { position, ...names }: Holding): 'none' | 'copied' | 'differs' {
    return this.#copied.find(site, position, names);
  }

  /** A site has a tombstone in the place of the sample that was stored from this position. */
  isErased(position: string): boolean {
    return this.#erased.has(ANYWHERE, ...placeOf(position));
  }

  /** This site has it, by the events. */
  isErasedIn(site: string, position: string): boolean {
    return this.#erased.has(site, ...placeOf(position));
  }

  /** How many erased samples there are of which this site has no tombstone, by the events. */
  unerasedIn(site: string): number {
    return this.#erased.size(ANYWHERE) - this.#erased.size(site);
  }

  /** The sample that was stored from this position was given up. */
  isLost(position: string): boolean {
    return this.#lost.has(ANYWHERE, ...placeOf(position));
  }

  /** An open order to give samples up has its event about this one. */
  isJudged(order: string, position: string): boolean {
    const place = placeOf(position);
    return this.#lost.has(order, ...place) || this.#lossRefused.has(order, ...place);
  }

  /** What an open order to give samples up did by now, also by an earlier custodian. */
  lossesOf(order: string): { readonly lost: number; readonly refused: number } {
    return { lost: this.#lost.size(order), refused: this.#lossRefused.size(order) };
  }

  /** What an open order to repair a site did by now, also by an earlier custodian. */
  countsOf(order: string): { readonly copied: number; readonly unpaid: number } {
    return { copied: this.#repaired.size(order), unpaid: this.#notRepaired.size(order) };
  }

  /** The last event of an open order about this position says that it could not repair the copy. */
  isNotRepaired(order: string, position: string): boolean {
    return this.#notRepaired.has(order, ...placeOf(position));
  }

  /** The order has its closing event. */
  isClosed(order: string): boolean {
    return this.#closed.has(order);
  }

  /**
   * Decides about an access and appends what `decide` returns, if anything, while nothing else is
   * appended: two requests at once cannot both use what is left of a limit. Throws as
   * `CustodyLog.append`.
   */
  async appendAccess(
    this: CustodyHead,
    decide: (book: AccessBook) => AccessFact | undefined,
    at: number,
  ): Promise<void> {
    await this.#exclusively(async () => {
      const fact = decide(this.accesses);
      if (fact === undefined) return;
      const { region } = this.#log;
      const full = (previous: string | null): Fact =>
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of the same type as before
        ({ type: fact.type, data: { ...fact.data, region, previous } }) as Fact;
      await this.#appendNow([full], at);
    });
  }

  /**
   * One call of the log serves all that ask before it begins, so askers delay no append by more than
   * one. Throws as `CustodyLog.confirm`.
   */
  async confirm(this: CustodyHead): Promise<void> {
    this.#confirmation ??= this.#exclusively(async () => {
      this.#confirmation = undefined;
      await this.#log.confirm();
    });
    await this.#confirmation;
  }

  /** Throws why this cannot append any more: an append failed. */
  requireWhole(): void {
    if (this.#broken !== undefined) throw this.#broken.error;
  }

  /** Appends an order's closing event. Throws as `CustodyLog.append`. */
  async close(this: CustodyHead, data: Omit<ClosedData, 'previous'>, at: number): Promise<void> {
    await this.#append([(previous) => ({ type: ORDER_CLOSED, data: { ...data, previous } })], at);
  }

  /** Appends one event for each fact, all or none. Throws as `CustodyLog.append`. */
  async append(this: CustodyHead, facts: CustodyFacts, at: number): Promise<void> {
    const { copies = [], notRepaired = [], erased = [] } = facts;
    const { lost = [], lossRefused = [], lossClosed = [] } = facts;
    type Next = (previous: string | null) => Fact;
    const events = [
      ...copies.map((data): Next => (previous) => ({
        type: SAMPLE_COPIED,
        data: { ...data, previous },
      })),
      ...notRepaired.map((data): Next => (previous) => ({
        type: SAMPLE_NOT_REPAIRED,
        data: { ...data, previous },
      })),
      ...erased.map((data): Next => (previous) => ({
        type: SAMPLE_ERASED,
        data: { ...data, previous },
      })),
      ...lost.map((data): Next => (previous) => ({
        type: SAMPLE_LOST,
        data: { ...data, previous },
      })),
      ...lossRefused.map((data): Next => (previous) => ({
        type: LOSS_REFUSED,
        data: { ...data, previous },
      })),
      ...lossClosed.map((data): Next => (previous) => ({
        type: LOSS_CLOSED,
        data: { ...data, previous },
      })),
    ];
    if (events.length > 0) await this.#append(events, at);
  }

  async #append(
    this: CustodyHead,
    events: readonly ((previous: string | null) => Fact)[],
    at: number,
  ): Promise<void> {
    await this.#exclusively(() => this.#appendNow(events, at));
  }

  /** One call at a time. After a failure none begins any more: the log must be opened again. */
  async #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(async () => {
      this.requireWhole();
      try {
        return await work();
      } catch (error) {
        this.#broken = { error };
        throw error;
      }
    });
    this.#turn = turn.catch(() => undefined);
    return await turn;
  }

  async #appendNow(
    this: CustodyHead,
    events: readonly ((previous: string | null) => Fact)[],
    at: number,
  ): Promise<void> {
    let [sequence, previous] = [this.#next, this.#end?.digest ?? null];
    const values = events.map((event) => {
      const { record } = custodyEntry({ log: this.#log.log, sequence, at, ...event(previous) });
      const value = record.value ?? Buffer.alloc(0);
      sequence += 1;
      previous = custodyDigest(value);
      return value;
    });
    const offset = await this.#log.append(values);
    // Their own offsets lie before it; of the last one alone it matters.
    for (const value of values) this.#follow({ offset, value });
  }

  /** The number of the next event. */
  get #next(): number {
    return this.#end === undefined ? 0 : this.#end.sequence + 1;
  }

  #follow({ offset, value }: CustodyRecord): void {
    this.#followed += 1;
    const event = custodyEventIn(value);
    // A number that was there before is a repetition, and counts for nobody.
    const isNext = event !== undefined && event.sequence >= this.#next;
    if (event === undefined || !isNext || event.data.region !== this.#log.region) {
      this.#passedOver += 1;
      return;
    }
    this.#end = { offset, sequence: event.sequence, digest: custodyDigest(value) };
    switch (event.type) {
      case ORDER_CLOSED: {
        const { order } = event.data;
        this.#closed.add(order);
        this.#repaired.clear(order);
        this.#notRepaired.clear(order);
        return;
      }
      case SAMPLE_NOT_REPAIRED: {
        const { of, order } = event.data;
        this.#notRepaired.add(order, ...placeOf(of));
        this.#repaired.delete(order, ...placeOf(of));
        return;
      }
      case SAMPLE_COPIED: {
        const { of, submission, region, copy, order } = event.data;
        this.#copied.add(copy.site, of, { submission, region, ...copy });
        this.#copiedTo.add(copy.site);
        if (order === undefined) return;
        this.#repaired.add(order, ...placeOf(of));
        this.#notRepaired.delete(order, ...placeOf(of));
        return;
      }
      case SAMPLE_ERASED: {
        const { of, sites } = event.data;
        for (const { site } of sites) {
          this.#erased.add(site, ...placeOf(of));
          this.#copiedTo.add(site);
        }
        this.#erased.add(ANYWHERE, ...placeOf(of));
        if (event.data.repair !== undefined) this.#repaired.add(event.data.repair, ...placeOf(of));
        return;
      }
      case SAMPLE_LOST: {
        const { of, order, sites } = event.data;
        this.#lost.add(ANYWHERE, ...placeOf(of));
        this.#lost.add(order, ...placeOf(of));
        for (const { site } of sites) this.#copiedTo.add(site);
        return;
      }
      case LOSS_REFUSED: {
        const { of, order } = event.data;
        if (of !== undefined) this.#lossRefused.add(order, ...placeOf(of));
        return;
      }
      case LOSS_CLOSED: {
        const { order } = event.data;
        this.#closed.add(order);
        this.#lost.clear(order);
        this.#lossRefused.clear(order);
        return;
      }
      case ACCESS_REQUESTED:
      case ACCESS_APPROVED:
      case ACCESS_REFUSED:
      case SAMPLE_ACCESSED:
        this.accesses.follow(event, value);
        return;
      default:
        return event satisfies never;
    }
  }
}
