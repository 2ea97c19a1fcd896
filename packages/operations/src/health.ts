import type { Readiness } from './operations-routes.ts';

/**
 * The state behind the probes: alive until the work fails permanently, ready while it makes
 * progress.
 */
export class Health {
  readonly #work: string;
  #state: 'starting' | 'running' | 'stopping' | 'failed' = 'starting';
  #waitsFor: string | undefined;
  #paused = false;
  #waitsAt: string | undefined;

  /** `work`: the name of the process's work in its readiness, such as `routing`. */
  constructor(work: string) {
    this.#work = work;
  }

  started(): void {
    if (this.#state === 'starting') this.#state = 'running';
  }

  /**
   * Sets the code of the error that the work waits for, and the record at which it waits;
   * `undefined`: it continues. Returns true if it has just begun to wait, or now waits for
   * something else.
   */
  waits(code: string | undefined, at?: string): boolean {
    const before = this.#waitsFor;
    this.#waitsFor = code;
    this.#waitsAt = code === undefined ? undefined : at;
    return code !== undefined && code !== before;
  }

  /** Sets whether operators paused the work, regardless of waits. */
  paused(is: boolean): void {
    this.#paused = is;
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
    const waitsFor = this.#paused ? 'ROUTING_PAUSED' : this.#waitsFor;
    const moving = waitsFor === undefined;
    return {
      ready: running && moving,
      checks: [
        { name: 'process', ok: running, ...(running ? {} : { detail: this.#state }) },
        {
          name: this.#work,
          ok: moving,
          ...(moving
            ? {}
            : {
                detail: `waits: ${waitsFor}${this.#paused || this.#waitsAt === undefined ? '' : ` at ${this.#waitsAt}`}`,
              }),
        },
      ],
    };
  }
}
