/**
 * Most unknown names for which a log is read again. They come from events and objects, whose writers
 * must not cause endless reading.
 */
const MOST_UNKNOWN = 1_000;

/** Reads a log again for names that it did not have at the last reading, once for each. */
export class Rereads {
  readonly #read: () => Promise<void>;
  /** Names that are not known, with the reading that was to find them. */
  readonly #asked = new Map<string, Promise<void>>();
  #last: Promise<void> = Promise.resolve();

  /** `read` reads the whole log, and keeps what it finds. */
  constructor(read: () => Promise<void>) {
    this.#read = read;
  }

  /** Readings run one after the other, so that an older result never replaces a newer one. */
  async read(): Promise<void> {
    this.#last = this.#last.catch(() => undefined).then(this.#read);
    await this.#last;
  }

  /** After it, `isKnown` is true if the log had the name at the call, unless too many were asked for. */
  async learn(name: string, isKnown: () => boolean): Promise<void> {
    if (isKnown()) return;
    if (!this.#asked.has(name)) {
      if (this.#asked.size >= MOST_UNKNOWN) return;
      this.#asked.set(name, this.read());
    }
    await this.#asked.get(name);
    if (isKnown()) this.#asked.delete(name);
  }
}
