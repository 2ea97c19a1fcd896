/** Combines the waits of several works: reports the error of the one that has waited longest. */
export class SharedWait {
  readonly #errors = new Map<string | number, unknown>();
  readonly #onChange: (error: unknown) => void;

  constructor(onChange: (error: unknown) => void) {
    this.#onChange = onChange;
  }

  /** Sets a work's error; `undefined`: the work continues. */
  of(work: string | number, error: unknown): void {
    if (error === undefined && !this.#errors.has(work)) return;
    if (error === undefined) this.#errors.delete(work);
    else this.#errors.set(work, error);
    const [first] = this.#errors.values();
    this.#onChange(first);
  }

  has(work: string | number): boolean {
    return this.#errors.has(work);
  }
}
