import { CodedError } from '@residency/coded-error';

/**
 * The result of one call: it works; it fails without an effect; or it fails although its effect
 * persists (a lost response).
 */
export const STORE_FAULTS = ['pass', 'fail', 'fail-but-persist'] as const;
export type StoreFault = (typeof STORE_FAULTS)[number];

export interface StoreCall {
  readonly method:
    | 'create'
    | 'head'
    | 'metadata'
    | 'flush'
    | 'publish'
    | 'read'
    | 'replace'
    | 'set-aside'
    | 'purge';
  /** Counts from 0 over all calls of this instance. */
  readonly nth: number;
}

export type FaultPlan = (call: StoreCall) => StoreFault;

export class InjectedFault extends CodedError<'SITE_UNREACHABLE'> {}

/** Breaks chosen calls to one site. */
export class PlannedFaults {
  readonly calls: (StoreCall & { readonly fault: StoreFault })[] = [];
  readonly #site: string;
  readonly #plan: FaultPlan;

  constructor(site: string, plan: FaultPlan) {
    this.#site = site;
    this.#plan = plan;
  }

  async run<T>(method: StoreCall['method'], work: () => Promise<T>): Promise<T> {
    const call = { method, nth: this.calls.length };
    const fault = this.#plan(call);
    this.calls.push({ ...call, fault });
    if (fault === 'pass') return await work();
    if (fault === 'fail-but-persist') await work();
    throw new InjectedFault({
      code: 'SITE_UNREACHABLE',
      message: `Injected: ${method} ${call.nth} of site ${this.#site}, ${fault}.`,
      remedy: 'retry',
    });
  }
}

/** Breaks the nth call only. */
export function faultAt(nth: number, fault: StoreFault): FaultPlan {
  return (call) => (call.nth === nth ? fault : 'pass');
}

/**
 * Breaks calls with the given probability (0 to 1); half of them persist. The same seed breaks the
 * same calls.
 */
export function seededFaults(seed: number, probability: number): FaultPlan {
  const random = mulberry32(seed);
  return () => {
    const [broken, persists] = [random() < probability, random() < 0.5];
    if (!broken) return 'pass';
    return persists ? 'fail-but-persist' : 'fail';
  };
}

/** Tommy Ettinger's 32-bit generator: small, and the same everywhere. */
function mulberry32(seed: number): () => number {
  let state = Math.trunc(seed);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
