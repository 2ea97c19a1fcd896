import { remedyOf } from '@residency/coded-error';
import { atMost } from '@residency/waiting';
import { AvailabilityError } from './availability-error.ts';

export interface AvailabilityOptions {
  /** A monotonic clock, milliseconds. */
  readonly now: () => number;
  /** The time that a call gets, milliseconds. Default 5,000. */
  readonly patienceMs?: number;
  /** The failures in a row after which the site is left out. Default 3. */
  readonly failures?: number;
  /** The time between two tries of a site that is left out, milliseconds. Default 10,000. */
  readonly tryEveryMs?: number;
  /** Called when a site is left out, with its last failure, and when it is used again. */
  readonly onChange?: (site: string, failure: Error | undefined) => void;
}

/** A circuit breaker for one site: closed, open, and half-open for one call at a time. */
export class SiteAvailability {
  readonly #site: string;
  readonly #options: Required<Omit<AvailabilityOptions, 'onChange'>> &
    Pick<AvailabilityOptions, 'onChange'>;
  #failures = 0;
  /** The time of the next try; `undefined`: the site is in use. */
  #tryAt: number | undefined;
  /** Counts how often the site was left out or used again. */
  #era = 0;
  /** A try has opened the site; its first request has not begun. */
  #isOpened = false;

  constructor(site: string, options: AvailabilityOptions) {
    this.#site = site;
    this.#options = { patienceMs: 5_000, failures: 3, tryEveryMs: 10_000, ...options };
  }

  /**
   * Carries a request out, or throws `SITE_LEFT_OUT` at once. Throws `SITE_TOO_SLOW` if it does not
   * end in time; what it does later is ignored.
   */
  async attempt<T>(call: () => Promise<T>): Promise<T> {
    return await this.#run(call, () => {
      this.#succeeded();
    });
  }

  /**
   * The same for opening the site. That may need no request, so it proves nothing; a try of a site
   * that is left out goes on with the first request.
   */
  async open<T>(call: () => Promise<T>): Promise<T> {
    return await this.#run(call, () => {
      this.#isOpened = this.#tryAt !== undefined;
    });
  }

  /**
   * The same for what follows requests that were answered. It is tried even if the site is left out,
   * and proves nothing.
   */
  async follow<T>(call: () => Promise<T>): Promise<T> {
    return await this.#bounded(call, () => undefined);
  }

  async #run<T>(call: () => Promise<T>, succeeded: () => void): Promise<T> {
    this.#begin();
    return await this.#bounded(call, succeeded);
  }

  async #bounded<T>(call: () => Promise<T>, succeeded: () => void): Promise<T> {
    // A call that began before the site was left out says nothing of it now.
    const era = this.#era;
    const isOfNow = (): boolean => era === this.#era;
    try {
      const running = call().then((value) => ({ value }));
      const ended = await atMost(this.#options.patienceMs, running);
      if (ended === undefined) throw this.#tooSlow();
      if (isOfNow()) succeeded();
      return ended.value;
    } catch (error) {
      if (isOfNow()) {
        if (error instanceof Error && remedyOf(error) === 'retry') this.#failed(error);
        else succeeded();
      }
      throw error;
    }
  }

  #begin(): void {
    if (this.#tryAt === undefined) return;
    if (this.#isOpened) {
      this.#isOpened = false;
      return;
    }
    const now = this.#options.now();
    if (now < this.#tryAt) throw this.#leftOut();
    // The others wait for the outcome of this one.
    this.#tryAt = now + this.#options.tryEveryMs;
  }

  #succeeded(): void {
    this.#failures = 0;
    this.#isOpened = false;
    if (this.#tryAt === undefined) return;
    this.#tryAt = undefined;
    this.#era += 1;
    this.#options.onChange?.(this.#site, undefined);
  }

  #failed(failure: Error): void {
    this.#failures += 1;
    if (this.#failures < this.#options.failures) return;
    const wasLeftOut = this.#tryAt !== undefined;
    this.#tryAt = this.#options.now() + this.#options.tryEveryMs;
    if (wasLeftOut) return;
    this.#era += 1;
    this.#options.onChange?.(this.#site, failure);
  }

  #leftOut(): AvailabilityError {
    return new AvailabilityError({
      code: 'SITE_LEFT_OUT',
      message: `Expected site ${this.#site} to answer, found that it failed ${this.#options.failures} times in a row. It is left out, is owed its copies, and is tried again within ${this.#options.tryEveryMs / 1_000} s. See docs/runbooks/ResidencyCopiesOwed.md.`,
      remedy: 'retry',
    });
  }

  #tooSlow(): AvailabilityError {
    return new AvailabilityError({
      code: 'SITE_TOO_SLOW',
      message: `Expected site ${this.#site} to answer within ${this.#options.patienceMs / 1_000} s, found no answer. It is owed the copy. See docs/runbooks/ResidencyCopiesOwed.md.`,
      remedy: 'retry',
    });
  }
}
