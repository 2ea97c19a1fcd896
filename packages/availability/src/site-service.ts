import { AvailabilityError } from './availability-error.ts';

/** Ends the calls to one site once an order takes the site out of service. */
export class SiteService {
  readonly #site: string;
  #leaves = false;
  /** Rejects a call that runs. */
  readonly #running = new Set<(error: Error) => void>();

  constructor(site: string) {
    this.#site = site;
  }

  leaves(leaves: boolean): void {
    this.#leaves = leaves;
    if (!leaves) return;
    for (const reject of this.#running) reject(this.#error());
    this.#running.clear();
  }

  /** Throws `SITE_LEAVES` while the site leaves. What the call does later is ignored. */
  async call<T>(call: () => Promise<T>): Promise<T> {
    if (this.#leaves) throw this.#error();
    return await new Promise((resolve, reject) => {
      this.#running.add(reject);
      call()
        .finally(() => this.#running.delete(reject))
        .then(resolve, reject);
    });
  }

  #error(): AvailabilityError {
    return new AvailabilityError({
      code: 'SITE_LEAVES',
      message: `Expected site ${this.#site} in service, found an order that takes it out. Nothing more is asked of it, and the record is routed again. See \`residency audit list --control\`.`,
      remedy: 'retry',
    });
  }
}
