import type { SqliteLog } from '@residency/adapter-sqlite';
import { INITIAL_CONTROL, TOPICS, followControl } from '@residency/contracts';
import type { ControlState } from '@residency/contracts';
import type { ControlView } from '@residency/routing';

/** What people left a data directory in: each reading takes what was appended since the last one. */
export class EmbeddedControlView implements ControlView {
  readonly #log: Pick<SqliteLog, 'read'>;
  #state: ControlState = INITIAL_CONTROL;
  #next = 0n;

  constructor(log: Pick<SqliteLog, 'read'>) {
    this.#log = log;
  }

  async read(): Promise<ControlState> {
    for await (const record of this.#log.read(TOPICS.control, { from: this.#next })) {
      this.#state = followControl(this.#state, record);
      this.#next = record.offset + 1n;
    }
    return this.#state;
  }
}
