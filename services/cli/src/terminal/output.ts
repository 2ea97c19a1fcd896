import { once } from 'node:events';
import type { Writable } from 'node:stream';
import { CliError } from './cli-error.ts';
import { reason } from './reason.ts';

type Stream = Writable & { readonly isTTY?: boolean };

/**
 * Standard output for the answer, standard error for everything else. A reader that went away (`|
 * head`) has what it wanted: what follows is dropped. Any other failure of standard output is
 * thrown as `OUTPUT_UNWRITABLE` by the next write and by `delivered`.
 */
export class Output {
  readonly #answer: Stream;
  readonly #notes: Stream;
  readonly #ended: () => void;
  #last: Promise<void> = Promise.resolve();
  #failure: CliError | undefined;
  #readerGone = false;
  #notesLost = false;

  /** `ended`: nothing more can be written to standard output. */
  constructor(answer: Stream, notes: Stream, ended: () => void = () => undefined) {
    this.#answer = answer;
    this.#notes = notes;
    this.#ended = ended;
    // Each failure also reaches the callback of its write; an event that nobody listens to would
    // end the process.
    answer.on('error', (error) => {
      this.#fail(error);
    });
    notes.on('error', (error) => {
      this.#notesLost ||= !isReaderGone(error);
    });
  }

  get readerGone(): boolean {
    return this.#readerGone;
  }

  /** Something was said on standard error that could not be written. */
  get notesLost(): boolean {
    return this.#notesLost;
  }

  /** The stream for a progress bar; `undefined` if it is no terminal. */
  get terminal(): Writable | undefined {
    return this.#notes.isTTY === true ? this.#notes : undefined;
  }

  /** Waits where the reader is slower, so that memory does not grow. */
  async line(text: string | Uint8Array): Promise<void> {
    this.#check();
    if (this.#readerGone) return;
    this.#answer.cork();
    this.#answer.write(text);
    const more = this.text('\n');
    this.#answer.uncork();
    if (more) return;
    await once(this.#answer, 'drain').catch((error: unknown) => {
      this.#fail(error);
    });
    this.#check();
  }

  async lines(texts: Iterable<string>): Promise<void> {
    for (const text of texts) await this.line(text);
  }

  /** On a terminal, replaces what is shown. Elsewhere, appends after an empty line. */
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

  /** As it is. False: the reader is slower. */
  text(text: string): boolean {
    const written = Promise.withResolvers<void>();
    this.#last = written.promise;
    return this.#answer.write(text, (error) => {
      if (error !== null && error !== undefined) this.#fail(error);
      written.resolve();
    });
  }

  note(text: string): void {
    this.noteText(`${text}\n`);
  }

  /** As it is, on standard error. */
  noteText(text: string): void {
    this.#notes.write(text);
  }

  /**
   * Once all that was written so far is with the system. False: its reader went away. Throws
   * `OUTPUT_UNWRITABLE`.
   */
  async delivered(): Promise<boolean> {
    await this.#last;
    this.#check();
    return !this.#readerGone;
  }

  #check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** The first failure counts: those after it are of a stream that is closed. */
  #fail(cause: unknown): void {
    if (this.#readerGone || this.#failure !== undefined) return;
    if (isReaderGone(cause)) this.#readerGone = true;
    else
      this.#failure = new CliError({
        code: 'OUTPUT_UNWRITABLE',
        message: `Expected to write the answer to standard output, found ${reason(cause)}; what was done stays done, and the answer is not complete. Make room or name another file, and ask again.`,
        remedy: 'stop',
        cause,
      });
    this.#ended();
  }
}

function isReaderGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EPIPE';
}

/** Text from outside, fit for a terminal: without control characters, and not endless. */
export function printable(text: string): string {
  return text.slice(0, 1_024).replaceAll(/[\p{C}\u2028\u2029]/gu, '?');
}
