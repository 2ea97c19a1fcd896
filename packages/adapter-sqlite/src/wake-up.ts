import { pause } from './pause.ts';

/** Tells waiting readers at once of this process's own appends; those of other processes are found by looking. */
export class WakeUp {
  #count = 0;
  readonly #waiting = new Set<() => void>();

  /** What has happened so far; taken before looking, so that nothing between looking and waiting is missed. */
  ticket(): number {
    return this.#count;
  }

  wake(): void {
    this.#count += 1;
    for (const stop of this.#waiting) stop();
  }

  /** Resolves at the first `wake` after `ticket` was taken, after `ms`, or when `signal` is aborted. */
  async wait(ticket: number, ms: number, signal: AbortSignal): Promise<void> {
    if (ticket !== this.#count || signal.aborted) return;
    const woken = new AbortController();
    const stop = (): void => {
      woken.abort();
    };
    this.#waiting.add(stop);
    signal.addEventListener('abort', stop, { once: true });
    await pause(ms, woken.signal);
    signal.removeEventListener('abort', stop);
    this.#waiting.delete(stop);
  }
}
