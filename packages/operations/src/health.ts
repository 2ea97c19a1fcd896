import type { Readiness } from './operations-routes.ts';

/** What the probes say: alive until the work failed for good, ready while it moves. */
export class Health {
  readonly #work: string;
  #state: 'starting' | 'running' | 'stopping' | 'failed' = 'starting';
  #waitsFor: string | undefined;

  /** `work`: what the process does, as its readiness names it, such as `routing`. */
  constructor(work: string) {
    this.#work = work;
  }

  started(): void {
    if (this.#state === 'starting') this.#state = 'running';
  }

  /** Takes the code of what the work waits for, `undefined` once it goes on; `true` where it has just begun to wait, or waits for something else now. */
  waits(code: string | undefined): boolean {
    const before = this.#waitsFor;
    this.#waitsFor = code;
    return code !== undefined && code !== before;
  }

  stopping(): void {
    if (this.#state !== 'failed') this.#state = 'stopping';
  }

  failed(): void {
    this.#state = 'failed';
  }

  get live(): boolean {
    return this.#state !== 'failed';
  }

  readiness(): Readiness {
    const running = this.#state === 'running';
    const moving = this.#waitsFor === undefined;
    return {
      ready: running && moving,
      checks: [
        { name: 'process', ok: running, ...(running ? {} : { detail: this.#state }) },
        { name: this.#work, ok: moving, ...(moving ? {} : { detail: `waits: ${this.#waitsFor}` }) },
      ],
    };
  }
}
