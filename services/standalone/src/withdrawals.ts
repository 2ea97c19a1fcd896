import type { SqliteLog } from '@residency/adapter-sqlite';
import { orderErasures } from '@residency/consent-projector/order-erasures';
import { TOPICS, withdrawalsIn } from '@residency/contracts';
import type { LogRecord } from '@residency/contracts';
import type { ControlView } from '@residency/routing';
import { EmbeddedControlView } from './embedded-control-view.ts';

type Log = Pick<SqliteLog, 'name' | 'read' | 'append'>;

const BATCH_RECORDS = 500;

/** Orders the erasure of what was given under withdrawn consents (docs/decisions/0050). */
export class Withdrawals {
  readonly #log: Log;
  readonly #control: ControlView;
  #next = 0n;

  /** `control`: of the same log. Absent: one of its own, which reads the control log from its start. */
  constructor(log: Log, control: ControlView = new EmbeddedControlView(log)) {
    this.#log = log;
    this.#control = control;
  }

  /**
   * Orders for every withdrawal since the last call that succeeded; the first call, for all that no
   * order covers. Rejects with the log's errors.
   */
  async order(): Promise<void> {
    let batch: LogRecord[] = [];
    for await (const record of this.#log.read(TOPICS.consents, { from: this.#next })) {
      batch.push(record);
      if (batch.length < BATCH_RECORDS) continue;
      await this.#orderOf(batch);
      batch = [];
    }
    await this.#orderOf(batch);
  }

  async #orderOf(records: readonly LogRecord[]): Promise<void> {
    const last = records.at(-1);
    if (last === undefined) return;
    await orderErasures(
      {
        erasures: async () => (await this.#control.read()).erasures,
        append: (entries) => this.#log.append(entries),
      },
      withdrawalsIn(this.#log.name, records),
    );
    this.#next = last.offset + 1n;
  }
}
