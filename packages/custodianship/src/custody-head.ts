import {
  ORDER_CLOSED,
  SAMPLE_COPIED,
  custodyDigest,
  custodyEntry,
  custodyEventIn,
  parsePosition,
} from '@residency/contracts';
import type { ClosedData, CopiedData, CustodyEvent } from '@residency/contracts';
import { OffsetSets } from './offset-sets.ts';
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
  readonly #copied = new OffsetSets();
  readonly #closed = new Set<string>();
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

  /** `position`: of the intake record of a `stored` event. */
  isCopied(site: string, position: string): boolean {
    const { log, topic, partition, offset } = parsePosition(position);
    return this.#copied.has(site, `${log}/${topic}/${partition}`, offset);
  }

  /** The order has its closing event. */
  isClosed(order: string): boolean {
    return this.#closed.has(order);
  }

  /** Appends an order's closing event. Throws as `CustodyLog.append`. */
  async close(data: Omit<ClosedData, 'previous'>, at: number): Promise<void> {
    await this.#append([(previous) => ({ type: ORDER_CLOSED, data: { ...data, previous } })], at);
  }

  /** Appends one event for each copy, all or none. Throws as `CustodyLog.append`. */
  async append(copies: readonly Omit<CopiedData, 'previous'>[], at: number): Promise<void> {
    await this.#append(
      copies.map((data) => (previous) => ({ type: SAMPLE_COPIED, data: { ...data, previous } })),
      at,
    );
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
    if (event.type === ORDER_CLOSED) {
      this.#closed.add(event.data.order);
      return;
    }
    const { log, topic, partition, offset } = parsePosition(event.data.of);
    this.#copied.add(event.data.copy.site, `${log}/${topic}/${partition}`, offset);
  }
}
