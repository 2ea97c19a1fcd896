import { CodedError, remedyOf } from '@residency/coded-error';
import type { CustodyLog } from '@residency/custodianship';

/** What a custodian does while it is its region's active one. */
export type CustodianWork = (log: CustodyLog, signal: AbortSignal) => Promise<void>;

export interface CustodianTermsDeps {
  readonly work: CustodianWork;
  /** Opens the custody log for a term that is over once `signal` is aborted. */
  readonly open: (signal: AbortSignal) => Promise<CustodyLog>;
  /** Aborted once the member ends. */
  readonly over: AbortSignal;
}

/**
 * The terms of one member of the group. A term begins when the group gives it the topic's only
 * partition, and ends when the partition is revoked.
 */
export class CustodianTerms {
  readonly #deps: CustodianTermsDeps;
  readonly #ended = Promise.withResolvers<CodedError | undefined>();
  #lost = new AbortController();
  #last: Promise<void> = Promise.resolve();

  constructor(deps: CustodianTermsDeps) {
    this.#deps = deps;
  }

  /**
   * Resolves with `undefined` once the work ended by itself, and with its error if that is a reason
   * to try again. Rejects with any other error.
   */
  get ended(): Promise<CodedError | undefined> {
    return this.#ended.promise;
  }

  /** Begins once the term before it has ended. */
  begin(): void {
    this.lose();
    this.#lost = new AbortController();
    const signal = AbortSignal.any([this.#lost.signal, this.#deps.over]);
    this.#last = this.#last.then(async () => {
      await this.#term(signal);
    });
    this.#last.catch((error: unknown) => {
      if (isTransient(error)) this.#ended.resolve(error);
      else this.#ended.reject(error);
    });
  }

  lose(): void {
    this.#lost.abort();
  }

  /** Resolves once the last term has ended. Rejects as `ended` does. */
  async release(): Promise<void> {
    this.lose();
    try {
      await this.#last;
    } catch (error) {
      if (!isTransient(error)) throw error;
    }
  }

  async #term(signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    try {
      const log = await this.#deps.open(signal);
      try {
        if (!signal.aborted) await this.#deps.work(log, signal);
      } finally {
        await log.close();
      }
    } catch (error) {
      if (!signal.aborted || !endsTerm(error, signal)) throw error;
    }
    if (!signal.aborted) this.#ended.resolve(undefined);
  }
}

function isTransient(error: unknown): error is CodedError {
  return error instanceof CodedError && remedyOf(error) === 'retry';
}

/** Of a term that is over, what its work rejects with because of that, or may as well. */
function endsTerm(error: unknown, signal: AbortSignal): boolean {
  return (
    isTransient(error) ||
    error === signal.reason ||
    (error instanceof Error && error.name === 'AbortError')
  );
}
