import type { ErasableSample, ErasureOrder } from '@residency/contracts';
import type { ReconcileDeps } from './reconcile-deps.ts';
import { Rereads } from './rereads.ts';

/**
 * The orders to erase samples. The control log is read at the first question, and again for an order
 * that is not among those read (RECONCILIATION §27). Without a control log every order counts as given.
 */
export class OrderBook {
  readonly #read: ReconcileDeps['erasures'];
  readonly #rereads = new Rereads(() => this.#take());
  #orders: ReadonlyMap<string, ErasureOrder> = new Map();

  constructor(read: ReconcileDeps['erasures']) {
    this.#read = read;
  }

  /** Whether there is such an order. */
  async has(act: string): Promise<boolean> {
    return this.#read === undefined || (await this.#order(act)) !== undefined;
  }

  /** Whether there is such an order, and it is about the sample. */
  async names(
    act: string,
    { region, submission, consentId, at }: ErasableSample,
  ): Promise<boolean> {
    if (this.#read === undefined) return true;
    const order = await this.#order(act);
    return (
      order !== undefined &&
      (order.region === undefined || order.region === region) &&
      (order.submissions.includes(submission) ||
        order.consents.some((one) => one.consentId === consentId && at < Date.parse(one.before)))
    );
  }

  async #order(act: string): Promise<ErasureOrder | undefined> {
    await this.#rereads.learn(act, () => this.#orders.has(act));
    return this.#orders.get(act);
  }

  async #take(): Promise<void> {
    const erasures = await this.#read?.();
    this.#orders = new Map(erasures?.orders.map((order) => [order.act, order]));
  }
}
