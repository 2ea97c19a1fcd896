import type { Readiness } from '@residency/intake';

/** What the probes say: alive until routing failed for good, ready while it moves. */
export class Health {
  #state: 'running' | 'stopping' | 'failed' = 'running';
  #blocked: string | undefined;

  /** Takes the code of what routing waits for, `undefined` once it goes on; `true` where routing has just begun to wait, or waits for something else now. */
  routing(code: string | undefined): boolean {
    const before = this.#blocked;
    this.#blocked = code;
    return this.#blocked !== undefined && this.#blocked !== before;
  }

  stopping(): void {
    if (this.#state === 'running') this.#state = 'stopping';
  }

  failed(): void {
    this.#state = 'failed';
  }

  get live(): boolean {
    return this.#state !== 'failed';
  }

  readiness(): Readiness {
    return {
      ready: this.#state === 'running' && this.#blocked === undefined,
      checks: [
        { name: 'process', ok: this.#state === 'running', ...(this.#state === 'running' ? {} : { detail: this.#state }) },
        { name: 'routing', ok: this.#blocked === undefined, ...(this.#blocked === undefined ? {} : { detail: `waits: ${this.#blocked}` }) },
      ],
    };
  }
}
