/** Runs one step at a time, in the order asked. */
export class Serially {
  #last: Promise<unknown> = Promise.resolve();

  run<T>(step: () => Promise<T>): Promise<T> {
    const result = this.#last.then(step);
    this.#last = result.catch(() => {
      /* Its own caller is told. */
    });
    return result;
  }
}
