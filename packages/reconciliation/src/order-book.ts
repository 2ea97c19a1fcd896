import type { ErasableSample, ErasureOrder, LossOrder } from '@residency/contracts';
import type { ReconcileDeps } from './reconcile-deps.ts';

/** Most orders that nobody gave for which the log is read: whoever writes to a site names them. */
const MOST_UNKNOWN = 1_000;

/** Orders of the control log, which is read at the first question, and again for an unknown order. */
class KnownOrders<Order extends { readonly act: string }> {
  readonly #read: () => Promise<readonly Order[]>;
  /** Acts that were not read when they were asked for. */
  readonly #asked = new Map<string, Promise<void>>();
  #refreshed: Promise<void> = Promise.resolve();
  #orders: ReadonlyMap<string, Order> = new Map();

  constructor(read: () => Promise<readonly Order[]>) {
    this.#read = read;
  }

  async get(act: string): Promise<Order | undefined> {
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
    this.#orders = new Map((await this.#read()).map((order) => [order.act, order]));
  }
}

/**
 * The orders to erase samples, and to give them up. The control log is read at the first question,
 * and again for an order that is not among those read (RECONCILIATION §27). Without a control log
 * every order counts as given.
 */
export class OrderBook {
  readonly #erasures: KnownOrders<ErasureOrder> | undefined;
  readonly #losses: KnownOrders<LossOrder> | undefined;

  constructor({ erasures, losses }: Pick<ReconcileDeps, 'erasures' | 'losses'>) {
    this.#erasures = erasures && new KnownOrders(async () => (await erasures()).orders);
    this.#losses = losses && new KnownOrders(losses);
  }

  /** Whether there is such an order to erase. */
  async has(act: string): Promise<boolean> {
    return this.#erasures === undefined || (await this.#erasures.get(act)) !== undefined;
  }

  /** Whether there is such an order to erase, and it is about the sample. */
  async names(
    act: string,
    { region, submission, consentId, at }: ErasableSample,
  ): Promise<boolean> {
    if (this.#erasures === undefined) return true;
    const order = await this.#erasures.get(act);
    return (
      order !== undefined &&
      (order.region === undefined || order.region === region) &&
      (order.submissions.includes(submission) ||
        order.consents.some((one) => one.consentId === consentId && at < Date.parse(one.before)))
    );
  }

  /** Whether there is such an order to give samples up, and it is about the sample. */
  async givesUp(
    act: string,
    { region, submission }: Pick<ErasableSample, 'region' | 'submission'>,
  ): Promise<boolean> {
    if (this.#losses === undefined) return true;
    const order = await this.#losses.get(act);
    return order?.region === region && order.submissions.includes(submission);
  }
}
