/** What several works wait for, as one: the error of the one that has waited longest. */
export class SharedWait {
  readonly #errors = new Map<string | number, unknown>();
  readonly #tell: (error: unknown) => void;

  constructor(tell: (error: unknown) => void) {
    this.#tell = tell;
  }

  /** `undefined`: it goes on. */
  of(work: string | number, error: unknown): void {
    if (error === undefined && !this.#errors.has(work)) return;
    if (error === undefined) this.#errors.delete(work);
    else this.#errors.set(work, error);
    const [first] = this.#errors.values();
    this.#tell(first);
  }

  has(work: string | number): boolean {
    return this.#errors.has(work);
  }
}
