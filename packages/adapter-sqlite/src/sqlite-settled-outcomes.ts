import { TOPICS } from '@residency/contracts/log-record';
import type { Position } from '@residency/contracts';
import type { SettledOutcome, SettledOutcomes } from '@residency/routing';
import type { WorkerClient } from './worker-client.ts';

/** Looks up single records in the embedded audit log. */
export class SqliteSettledOutcomes implements SettledOutcomes {
  readonly #log: string;
  readonly #worker: Pick<WorkerClient, 'call'>;

  constructor(log: string, worker: Pick<WorkerClient, 'call'>) {
    this.#log = log;
    this.#worker = worker;
  }

  async outcomeOf({ log, topic, partition, offset }: Position): Promise<SettledOutcome> {
    if (log !== this.#log || topic !== TOPICS.samples) return { state: 'foreign' };
    if (partition !== 0 || offset > Number.MAX_SAFE_INTEGER) return { state: 'beyond' };
    const { state, event } = await this.#worker.call('outcome', [Number(offset)]);
    if (state !== 'settled' || event === undefined)
      return { state: state === 'settled' ? 'forgotten' : state };
    const { decodeAuditEvent } = await import('@residency/contracts');
    return { state, event: decodeAuditEvent(event) };
  }
}
