import type { CustodianSite, FoundCopy, NewCopy, Written } from '@residency/custodianship';
import { PlannedFaults } from './planned-faults.ts';
import type { FaultPlan } from './planned-faults.ts';

/**
 * Breaks chosen calls of another site. `calls` lists all calls, so that a test can break each of
 * them in turn.
 */
export class FaultyCustodianSite implements CustodianSite {
  readonly site: string;
  readonly calls: PlannedFaults['calls'];
  readonly #inner: CustodianSite;
  readonly #faults: PlannedFaults;

  constructor(inner: CustodianSite, plan: FaultPlan) {
    this.site = inner.site;
    this.#inner = inner;
    this.#faults = new PlannedFaults(inner.site, plan);
    this.calls = this.#faults.calls;
  }

  read(key: string): Promise<FoundCopy | undefined> {
    return this.#faults.run('read', () => this.#inner.read(key));
  }

  metadata(...asked: Parameters<CustodianSite['metadata']>): ReturnType<CustodianSite['metadata']> {
    return this.#faults.run('metadata', () => this.#inner.metadata(...asked));
  }

  create(copy: NewCopy): Promise<Written> {
    return this.#faults.run('create', () => this.#inner.create(copy));
  }

  replace(copy: NewCopy, found: FoundCopy): Promise<Written> {
    return this.#faults.run('replace', () => this.#inner.replace(copy, found));
  }

  setAside(...kept: Parameters<CustodianSite['setAside']>): ReturnType<CustodianSite['setAside']> {
    return this.#faults.run('set-aside', () => this.#inner.setAside(...kept));
  }

  purge(...purged: Parameters<CustodianSite['purge']>): ReturnType<CustodianSite['purge']> {
    return this.#faults.run('purge', () => this.#inner.purge(...purged));
  }

  flush(): Promise<void> {
    return this.#faults.run('flush', () => this.#inner.flush());
  }
}
