import { BackOff } from '@residency/routing';

export interface SiteBackOffsDeps {
  /** A monotonic clock, milliseconds. */
  readonly elapsed: () => number;
  /** Uniform, from 0 up to 1. */
  readonly random: () => number;
}

const RETRY = { firstMs: 1_000, mostMs: 30_000 };

interface SiteState {
  readonly backOff: BackOff;
  /** Not tried before this time. */
  readonly retryAt: number;
  readonly waiting: unknown;
}

/** Which sites failed at one kind of work, and when each is tried again. */
export class SiteBackOffs {
  readonly #deps: SiteBackOffsDeps;
  readonly #states = new Map<string, SiteState>();

  constructor(deps: SiteBackOffsDeps) {
    this.#deps = deps;
  }

  /** It failed a short while ago. */
  isAway(site: string): boolean {
    const state = this.#states.get(site);
    return state !== undefined && this.#deps.elapsed() < state.retryAt;
  }

  /** The site is not asked again for a while. */
  failed(site: string, error: unknown): void {
    // Several calls fail at once; they are one failure.
    if (this.isAway(site)) return;
    const backOff = this.#states.get(site)?.backOff ?? new BackOff(RETRY, this.#deps.random);
    const retryAt = this.#deps.elapsed() + backOff.next();
    this.#states.set(site, { backOff, retryAt, waiting: error });
  }

  answered(site: string): void {
    this.#states.delete(site);
  }

  /** Why the site does not do it; `undefined`: it does. */
  waiting(site: string): unknown {
    return this.#states.get(site)?.waiting;
  }
}
