/**
 * So many calls at a time; others wait their turn. The SDK's time-outs begin when it is handed a request, so a request waiting
 * inside it for a connection would fail as if the site were down.
 */
export class Slots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(slots: number) {
    this.#free = slots;
  }

  async with<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free > 0) this.#free -= 1;
    else
      await new Promise<void>((resolve) => {
        this.#waiting.push(resolve);
      });
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      // The slot is handed on, not freed: nobody can come between.
      if (next === undefined) this.#free += 1;
      else next();
    }
  }
}
