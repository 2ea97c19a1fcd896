/** What several things wait for, as one: the error of the one that has waited longest. */
export class Waiting {
  readonly #errors = new Map<string, unknown>();
  readonly #tell: (error: unknown) => void;

  constructor(tell: (error: unknown) => void) {
    this.#tell = tell;
  }

  /** `undefined`: it goes on. */
  of(what: string, error: unknown): void {
    if (error === undefined && !this.#errors.has(what)) return;
    if (error === undefined) this.#errors.delete(what);
    else this.#errors.set(what, error);
    const [first] = this.#errors.values();
    this.#tell(first);
  }
}
