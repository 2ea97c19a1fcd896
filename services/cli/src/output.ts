import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Standard output for the answer, standard error for everything else. */
export class Output {
  readonly #answer: Writable;
  readonly #notes: Writable & { readonly isTTY?: boolean };

  constructor(answer: Writable, notes: Writable & { readonly isTTY?: boolean }) {
    this.#answer = answer;
    this.#notes = notes;
  }

  /** Where a bar may be drawn; `undefined` where nobody looks. */
  get terminal(): Writable | undefined {
    return this.#notes.isTTY === true ? this.#notes : undefined;
  }

  /** Waits where the reader is slower, so that memory does not grow. */
  async line(text: string | Uint8Array): Promise<void> {
    this.#answer.cork();
    this.#answer.write(text);
    const more = this.#answer.write('\n');
    this.#answer.uncork();
    if (!more) await once(this.#answer, 'drain');
  }

  async lines(texts: Iterable<string>): Promise<void> {
    for (const text of texts) await this.line(text);
  }

  async json(value: object): Promise<void> {
    await this.line(JSON.stringify(value));
  }

  note(text: string): void {
    this.#notes.write(`${text}\n`);
  }
}

/** Text from outside, fit for a terminal: without control characters, and not endless. */
export function printable(text: string): string {
  return text.slice(0, 1_024).replaceAll(/[\p{C}\u2028\u2029]/gu, '?');
}
