import { isAbout } from '@residency/contracts';
import type { ErasableSample, ErasureOrder, LossOrder } from '@residency/contracts';
import type { ReconcileDeps } from './reconcile-deps.ts';
import { Rereads } from './rereads.ts';

/** Orders of the control log, which is read at the first question, and again for an unknown order. */
class KnownOrders<Order extends { readonly act: string }> {
  readonly #read: () => Promise<readonly Order[]>;
  readonly #rereads = new Rereads(() => this.#take());
  #orders: ReadonlyMap<string, Order> = new Map();

  constructor(read: () => Promise<readonly Order[]>) {
    this.#read = read;
  }

  async get(act: string): Promise<Order | undefined> {
    await this.#rereads.learn(act, () => this.#orders.has(act));
    return this.#orders.get(act);
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
  async names(act: string, sample: ErasableSample): Promise<boolean> {
    if (this.#erasures === undefined) return true;
    const order = await this.#erasures.get(act);
    return order !== undefined && isAbout(order, sample);
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
