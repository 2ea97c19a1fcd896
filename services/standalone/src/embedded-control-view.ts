import type { SqliteLog } from '@residency/adapter-sqlite';
import { INITIAL_CONTROL, TOPICS, followControl } from '@residency/contracts';
import type { ControlState } from '@residency/contracts';
import type { ControlView } from '@residency/routing';

/** What people left a data directory in: each reading takes what was appended since the last one. */
export class EmbeddedControlView implements ControlView {
  readonly #log: Pick<SqliteLog, 'read'>;
  #state: ControlState = INITIAL_CONTROL;
  #next = 0n;
  #last: Promise<unknown> = Promise.resolve();

  constructor(log: Pick<SqliteLog, 'read'>) {
    this.#log = log;
  }

  /** One reading after the other: two at once would take the same records twice, and the older word last. */
  async read(): Promise<ControlState> {
    const reading = this.#last.then(() => this.#readOn());
    this.#last = reading.catch(() => undefined);
    return await reading;
  }

  async #readOn(): Promise<ControlState> {
    for await (const record of this.#log.read(TOPICS.control, { from: this.#next })) {
      this.#state = followControl(this.#state, record);
      this.#next = record.offset + 1n;
    }
    return this.#state;
  }
}
