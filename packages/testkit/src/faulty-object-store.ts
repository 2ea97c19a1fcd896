import type { CreateResult, ObjectHead, ObjectStore } from '@residency/routing';
import { PlannedFaults } from './planned-faults.ts';
import type { FaultPlan } from './planned-faults.ts';

/**
 * Breaks chosen calls of another store. `calls` lists all calls, so that a test can break each of
 * them in turn.
 */
export class FaultyObjectStore implements ObjectStore {
  readonly site: string;
  readonly calls: PlannedFaults['calls'];
  readonly #inner: ObjectStore;
  readonly #faults: PlannedFaults;

  constructor(inner: ObjectStore, plan: FaultPlan) {
    this.site = inner.site;
    this.#inner = inner;
    this.#faults = new PlannedFaults(inner.site, plan);
    this.calls = this.#faults.calls;
  }

  create(...object: Parameters<ObjectStore['create']>): Promise<CreateResult> {
    return this.#faults.run('create', () => this.#inner.create(...object));
  }

  head(key: string): Promise<ObjectHead | undefined> {
    return this.#faults.run('head', () => this.#inner.head(key));
  }

  flush(): Promise<void> {
    return this.#faults.run('flush', () => this.#inner.flush());
  }
}
