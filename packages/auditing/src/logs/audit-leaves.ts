import { TOPICS, auditEventIn, formatPosition } from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import { defined } from '@residency/defined';
import { EventChain } from '../event-chain.ts';
import type { AuditAnomalyKind } from '../growing/audit-anomaly.ts';
import { leafOf } from '../growing/leaf-of.ts';
import type { CheckedLeaf, LeafCheck, LeafCheckOptions, LogKind } from './log-kind.ts';

/** The audit log: exactly one event for each intake record of the same partition, in order. */
export const AUDIT_LOG: LogKind = {
  leafOf: ({ value }) => leafOf(value),
  timeOf: (leaf) => auditEventIn(leaf)?.at,
  orderOf: (leaf) => auditEventIn(leaf)?.position.offset,
  check: (options) => new AuditLeaves(options),
};

class AuditLeaves implements LeafCheck {
  readonly #options: LeafCheckOptions;
  readonly #chain: EventChain;

  constructor(options: LeafCheckOptions) {
    this.#options = options;
    this.#chain = new EventChain(options);
  }

  follow(value: Uint8Array | null): CheckedLeaf | undefined {
    const event = auditEventIn(value);
    if (event === undefined) return undefined;
    return {
      faults: [...this.#faults(event)],
      position: formatPosition(event.position),
      ...defined({ submission: event.data.submission }),
    };
  }

  *#faults(event: AuditEvent): Generator<AuditAnomalyKind> {
    const { within, regions } = this.#options;
    const { log, topic, partition } = event.position;
    if (
      within !== undefined &&
      (log !== within.log || topic !== TOPICS.samples || partition !== within.partition)
    )
      yield 'MISPLACED';
    const fault = this.#chain.follow(event);
    if (fault !== undefined) yield fault;
    if (event.outcome !== 'stored') return;
    const {
      submission,
      decision: { region },
    } = event.data;
    const known = regions?.regionOf(submission);
    if (known === undefined) regions?.note(submission, region);
    else if (known !== region) yield 'ALSO_IN';
  }
}
