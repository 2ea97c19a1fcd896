import type { ErasableSample, ErasureOrder } from '@residency/contracts';
import type { ReconcileDeps } from './reconcile-deps.ts';

/** Most orders that nobody gave for which the log is read: whoever writes to a site names them. */
const MOST_UNKNOWN = 1_000;

/**
 * The orders to erase samples. The control log is read at the first question, and again for an order
 * that is not among those read (RECONCILIATION §27). Without a control log every order counts as given.
 */
export class OrderBook {
  readonly #read: ReconcileDeps['erasures'];
  /** Acts that were not read when they were asked for. */
  readonly #asked = new Map<string, Promise<void>>();
  #refreshed: Promise<void> = Promise.resolve();
  #orders: ReadonlyMap<string, ErasureOrder> = new Map();

  constructor(read: ReconcileDeps['erasures']) {
    this.#read = read;
  }

  /** Whether there is such an order. */
  async has(act: string): Promise<boolean> {
    return this.#read === undefined || (await this.#order(act)) !== undefined;
  }

  /** Whether there is such an order, and it is about the sample. */
  async names(act: string, { submission, consentId, at }: ErasableSample): Promise<boolean> {
    if (this.#read === undefined) return true;
    const order = await this.#order(act);
    return (
      order !== undefined &&
      (order.submissions.includes(submission) ||
        order.consents.some((one) => one.consentId === consentId && at < Date.parse(one.before)))
    );
  }

  async #order(act: string): Promise<ErasureOrder | undefined> {
    if (!this.#orders.has(act)) {
      if (!this.#asked.has(act)) {
        if (this.#asked.size >= MOST_UNKNOWN) return undefined;
        this.#asked.set(act, this.#refresh());
      }
      await this.#asked.get(act);
      if (this.#orders.has(act)) this.#asked.delete(act);
    }
    return this.#orders.get(act);
  }

  /** Reads run one after the other, so that an older result never replaces a newer one. */
  async #refresh(): Promise<void> {
    this.#refreshed = this.#refreshed.catch(() => undefined).then(() => this.#take());
    await this.#refreshed;
  }

  async #take(): Promise<void> {
    const erasures = await this.#read?.();
    this.#orders = new Map(erasures?.orders.map((order) => [order.act, order]));
  }
}
