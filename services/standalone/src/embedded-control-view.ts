import type { SqliteLog } from '@residency/adapter-sqlite';
import type * as Contracts from '@residency/contracts';
import { INITIAL_CONTROL } from '@residency/contracts/initial-control';
import { TOPICS } from '@residency/contracts/log-record';
import type { ControlState } from '@residency/contracts';
import type { ControlView } from '@residency/routing';
import pLimit from 'p-limit';

/**
 * The control state of a data directory. Each read applies the events appended since the last one.
 */
export class EmbeddedControlView implements ControlView {
  readonly #log: Pick<SqliteLog, 'read'>;
  #state: ControlState = INITIAL_CONTROL;
  #next = 0n;
  readonly #mutex = pLimit(1);

  constructor(log: Pick<SqliteLog, 'read'>) {
    this.#log = log;
  }

  /**
   * One read after the other: two concurrent reads would apply the same records twice, and an older
   * event could come last.
   */
  async read(): Promise<ControlState> {
    return await this.#mutex(() => this.#readOn());
  }

  async #readOn(): Promise<ControlState> {
    let events: typeof Contracts | undefined;
    for await (const record of this.#log.read(TOPICS.control, { from: this.#next })) {
      // Loaded with the first event: most data directories have none.
      events ??= await import('@residency/contracts');
      this.#state = events.followControl(this.#state, record);
      this.#next = record.offset + 1n;
    }
    return this.#state;
  }
}
