import { once } from 'node:events';
import type { Writable } from 'node:stream';

/** Standard output for the answer, standard error for everything else. */
export class Output {
  readonly #answer: Writable & { readonly isTTY?: boolean };
  readonly #notes: Writable & { readonly isTTY?: boolean };

  constructor(
    answer: Writable & { readonly isTTY?: boolean },
    notes: Writable & { readonly isTTY?: boolean },
  ) {
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

  /** In place of what stood on the terminal; elsewhere below it, after an empty line. */
  async screen(lines: readonly string[], first: boolean): Promise<void> {
    // Cursor home, then erased as it is written over: a screen that is cleared before flickers.
    if (this.#answer.isTTY === true)
      await this.line(
        `${first ? '\u001b[2J' : ''}\u001b[H${lines.map((line) => `${line}\u001b[K`).join('\n')}\u001b[J`,
      );
    else await this.lines(first ? lines : ['', ...lines]);
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
