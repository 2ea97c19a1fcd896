import type { LedgerStore } from '@residency/auditing';
import { CodedError } from '@residency/coded-error';
import type { FaultPlan, StoreCall, StoreFault } from './planned-faults.ts';

export class LedgerFault extends CodedError<'LEDGER_UNREACHABLE'> {}

/**
 * Breaks chosen calls of another store. `calls` lists all calls, so that a test can break each of
 * them in turn.
 */
export class FaultyLedgerStore implements LedgerStore {
  readonly calls: (StoreCall & { readonly path: string; readonly fault: StoreFault })[] = [];
  readonly #inner: LedgerStore;
  readonly #plan: FaultPlan;

  constructor(inner: LedgerStore, plan: FaultPlan) {
    this.#inner = inner;
    this.#plan = plan;
  }

  read(path: string): Promise<Uint8Array | undefined> {
    return this.#run('read', path, () => this.#inner.read(path));
  }

  create(path: string, bytes: Uint8Array): Promise<'created' | 'same'> {
    return this.#run('create', path, () => this.#inner.create(path, bytes));
  }

  publish(path: string, bytes: Uint8Array, replaces: Uint8Array | undefined): Promise<void> {
    return this.#run('publish', path, () => this.#inner.publish(path, bytes, replaces));
  }

  async #run<T>(method: StoreCall['method'], path: string, work: () => Promise<T>): Promise<T> {
    const call = { method, nth: this.calls.length };
    const fault = this.#plan(call);
    this.calls.push({ ...call, path, fault });
    if (fault === 'pass') return await work();
    if (fault === 'fail-but-persist') await work();
    throw new LedgerFault({
      code: 'LEDGER_UNREACHABLE',
      message: `Injected: ${method} ${call.nth}, ${fault}.`,
      remedy: 'retry',
    });
  }
}
