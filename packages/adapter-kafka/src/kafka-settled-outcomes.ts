import { TOPICS, auditEventIn } from '@residency/contracts';
import type { Position, Topic } from '@residency/contracts';
import type { SettledOutcome, SettledOutcomes } from '@residency/routing';
import type { ClusterConnection } from './reading/cluster-connection.ts';
import { findAuditEvent } from './reading/find-audit-event.ts';
import type { AuditRow } from './reading/find-audit-event.ts';

export interface OutcomesDeps {
  readonly log: string;
  readonly nameOf: (topic: Topic) => string;
  readonly ask: <T>(question: (connection: ClusterConnection) => Promise<T>) => Promise<T>;
}

/**
 * The number of cached batches. A publisher that resends a day's submissions causes one look-up
 * after the other, and most of them hit the batch of the previous one.
 */
const MOST_KEPT = 16;

interface Kept {
  readonly partition: number;
  readonly rows: readonly AuditRow[];
}

/**
 * Looks up single records in the cluster's audit log. Each look-up takes a few fetches, or none.
 */
export class KafkaSettledOutcomes implements SettledOutcomes {
  readonly #deps: OutcomesDeps;
  /** Cached, because a settled outcome never changes. The newest is last. */
  #kept: readonly Kept[] = [];

  constructor(deps: OutcomesDeps) {
    this.#deps = deps;
  }

  async outcomeOf(position: Position): Promise<SettledOutcome> {
    const { log, topic, partition, offset } = position;
    if (log !== this.#deps.log || topic !== TOPICS.samples) return { state: 'foreign' };
    const kept = this.#kept.find(
      (one) => one.partition === partition && one.rows.some(({ about }) => about === offset),
    );
    if (kept !== undefined) return settled(kept.rows, position);
    return await this.#deps.ask(async (connection) => {
      const { found, rows } = await findAuditEvent(
        connection,
        this.#deps.nameOf(TOPICS.audit),
        partition,
        offset,
      );
      if (rows.length > 0) this.#kept = [...this.#kept, { partition, rows }].slice(-MOST_KEPT);
      if (found === 'event') return settled(rows, position);
      if (found === 'none') return { state: 'forgotten' };
      const end = (await connection.ends(this.#deps.nameOf(TOPICS.samples))).get(partition) ?? 0n;
      return { state: offset < end ? 'unsettled' : 'beyond' };
    });
  }
}

function settled(rows: readonly AuditRow[], { log, partition, offset }: Position): SettledOutcome {
  const event = auditEventIn(rows.find(({ about }) => about === offset)?.value);
  if (event?.position.log === log && event.position.partition === partition)
    return { state: 'settled', event };
  return { state: 'forgotten' };
}
