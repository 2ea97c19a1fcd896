import type { Accepted } from './intake-client.ts';
import { printable } from '../terminal/output.ts';
import { startProgress } from '../terminal/progress.ts';
import type { Session } from '../terminal/session.ts';
import { bytesText, counted, grouped, table } from '../terminal/table.ts';

const MOST_LISTED = 20;

/** Counts the files' results and prints them as they happen. */
export class Tally {
  failed = 0;
  readonly progress;
  readonly #session: Session;
  readonly #json: boolean;
  readonly #listed: [path: string, submission: string, position: string][] = [];
  #published = 0;
  #bytes = 0;
  #skipped = 0;

  constructor(session: Session, json: boolean) {
    this.#session = session;
    this.#json = json;
    this.progress = startProgress(session, 'Publishing files');
  }

  get begun(): boolean {
    return this.#published + this.#skipped + this.failed > 0;
  }

  skip(path: string, why: string): void {
    this.#skipped += 1;
    this.#session.output.note(`Skipped ${printable(path)}: ${why}.`);
  }

  fail(path: string, why: string): void {
    this.failed += 1;
    this.#session.output.note(`Not published: ${printable(path)}: ${why}.`);
  }

  async publish(path: string, bytes: number, accepted: Accepted | undefined): Promise<void> {
    const { submission = '', position = '' } = accepted ?? {};
    this.#published += 1;
    this.#bytes += bytes;
    this.progress.update(this.#published);
    if (this.#json) await this.#session.output.json({ path, submission, position });
    else if (this.#listed.length < MOST_LISTED)
      this.#listed.push([printable(path), submission, position]);
  }

  async finish(): Promise<void> {
    const { output } = this.#session;
    try {
      await this.#list();
    } finally {
      output.note(`${this.#summary()}.`);
    }
  }

  async #list(): Promise<void> {
    const { output } = this.#session;
    if (this.#json || this.#published === 0) return;
    await output.lines(table(['path', 'submission', 'position'], this.#listed));
    const more = this.#published - this.#listed.length;
    if (more > 0) await output.line(`and ${grouped(more)} more (--json lists all)`);
  }

  #summary(): string {
    const rest = [
      ...(this.#skipped > 0 ? [`skipped ${grouped(this.#skipped)}`] : []),
      ...(this.failed > 0 ? [`could not publish ${grouped(this.failed)}`] : []),
    ];
    return [
      `Published ${counted(this.#published, 'file')}, ${bytesText(this.#bytes)}`,
      ...rest,
    ].join('; ');
  }
}
