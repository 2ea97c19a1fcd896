import {
  ORDER_CLOSED,
  SAMPLE_COPIED,
  SAMPLE_NOT_REPAIRED,
  custodyDigest,
  custodyEntry,
  custodyEventIn,
} from '@residency/contracts';
import type { ClosedData, CopiedData, CustodyEvent, NotRepairedData } from '@residency/contracts';
import { CopyPrints } from './copy-prints.ts';
import { OffsetSets } from './offset-sets.ts';
import { placeOf } from './place-of.ts';
import type { Holding } from '@residency/custody';
import type { CustodyLog } from './ports/custody-log.ts';

/** An event without its place in the log. */
type Fact = CustodyEvent extends infer Event
  ? Event extends CustodyEvent
    ? Pick<Event, 'type' | 'data'>
    : never
  : never;

/** What a custodian knows of its region's custody log: its last event, and who has got a copy. */
export class CustodyHead {
  readonly #log: CustodyLog;
  readonly #copied = new CopyPrints();
  readonly #closed = new Set<string>();
  /** By open order in the place of the site: what it made anew, and what it could not. */
  readonly #repaired = new OffsetSets();
  readonly #notRepaired = new OffsetSets();
  #sequence = 0;
  #previous: string | null = null;
  #passedOver = 0;

  private constructor(log: CustodyLog) {
    this.#log = log;
  }

  /** Reads the log to its end. Throws as `CustodyLog.values`. */
  static async read(log: CustodyLog): Promise<CustodyHead> {
    const head = new CustodyHead(log);
    for await (const value of log.values()) head.#follow(value);
    return head;
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

  /** What an open order did by now, also by an earlier custodian. */
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

  /** Appends an order's closing event. Throws as `CustodyLog.append`. */
  async close(data: Omit<ClosedData, 'previous'>, at: number): Promise<void> {
    await this.#append([(previous) => ({ type: ORDER_CLOSED, data: { ...data, previous } })], at);
  }

  /**
   * Appends one event for each copy, and for each that could not be made anew, all or none. Throws as
   * `CustodyLog.append`.
   */
  async append(
    {
      copies,
      notRepaired = [],
    }: {
      readonly copies: readonly Omit<CopiedData, 'previous'>[];
      readonly notRepaired?: readonly Omit<NotRepairedData, 'previous'>[];
    },
    at: number,
  ): Promise<void> {
    const events = [
      ...copies.map((data) => (previous: string | null): Fact => ({
        type: SAMPLE_COPIED,
        data: { ...data, previous },
      })),
      ...notRepaired.map((data) => (previous: string | null): Fact => ({
        type: SAMPLE_NOT_REPAIRED,
        data: { ...data, previous },
      })),
    ];
    if (events.length > 0) await this.#append(events, at);
  }

  async #append(events: readonly ((previous: string | null) => Fact)[], at: number): Promise<void> {
    let [sequence, previous] = [this.#sequence, this.#previous];
    const values = events.map((event) => {
      const { record } = custodyEntry({ log: this.#log.log, sequence, at, ...event(previous) });
      const value = record.value ?? Buffer.alloc(0);
      sequence += 1;
      previous = custodyDigest(value);
      return value;
    });
    await this.#log.append(values);
    for (const value of values) this.#follow(value);
  }

  #follow(value: Buffer): void {
    const event = custodyEventIn(value);
    // A number that was there before is a repetition, and counts for nobody.
    const isNext = event !== undefined && event.sequence >= this.#sequence;
    if (event === undefined || !isNext || event.data.region !== this.#log.region) {
      this.#passedOver += 1;
      return;
    }
    this.#sequence = event.sequence + 1;
    this.#previous = custodyDigest(value);
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
        if (order === undefined) return;
        this.#repaired.add(order, ...placeOf(of));
        this.#notRepaired.delete(order, ...placeOf(of));
        return;
      }
      default:
        return event satisfies never;
    }
  }
}
