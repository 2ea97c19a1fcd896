import { CustodyChain, custodyEventIn, custodyTopic } from '@residency/contracts';
import type { CustodyEvent } from '@residency/contracts';
import { defined } from '@residency/defined';
import type { AuditAnomalyKind } from '../growing/audit-anomaly.ts';
import { leafOf } from '../growing/leaf-of.ts';
import type { CheckedLeaf, LeafCheck, LeafCheckOptions, LogKind } from './log-kind.ts';

/** A region's custody log: numbered without a gap, and each event names the digest of the one before. */
export const CUSTODY_LOG: LogKind = {
  leafOf: ({ value }) => leafOf(value),
  timeOf: (leaf) => custodyEventIn(leaf)?.at,
  orderOf: (leaf) => {
    const event = custodyEventIn(leaf);
    return event === undefined ? undefined : BigInt(event.sequence);
  },
  check: (options) => new CustodyLeaves(options),
};

class CustodyLeaves implements LeafCheck {
  readonly #options: LeafCheckOptions;
  readonly #chain = new CustodyChain();
  #begun: boolean;

  constructor(options: LeafCheckOptions) {
    this.#options = options;
    this.#begun = options.fromStart;
  }

  follow(value: Uint8Array | null): CheckedLeaf | undefined {
    const event = custodyEventIn(value);
    if (event === undefined || value === null) return undefined;
    return {
      faults: [...this.#faults(event, value)],
      ...('submission' in event.data
        ? defined({ position: event.data.of, submission: event.data.submission })
        : {}),
    };
  }

  *#faults(event: CustodyEvent, value: Uint8Array): Generator<AuditAnomalyKind> {
    const { within } = this.#options;
    if (
      within !== undefined &&
      (event.log !== within.log || custodyTopic(event.data.region) !== within.topic)
    )
      yield 'MISPLACED';
    const link = this.#chain.follow(event, value);
    if (link === 'repeated') yield 'REPEAT';
    if (link === 'broken' && this.#begun) yield 'HOLE';
    this.#begun = true;
  }
}
