import { formatPosition } from '@residency/contracts';
import type { Position } from '@residency/contracts';
import { partitionOf } from '../audit-chain.ts';
import type { Committed } from '../audit-chain.ts';
import type { Claims } from '../claims.ts';
import type { Run } from '../run.ts';
import { readOutcomes } from '../submission-outcomes.ts';
import type { SubmissionOutcomes } from '../submission-outcomes.ts';

/** By the kind of event that names an owner. */
const UNKNOWN = {
  duplicate: {
    code: 'DUPLICATE_OF_UNKNOWN',
    through: 'duplicates',
    message:
      'Expected the position a duplicate names to be where the same submission was stored, or a duplicate that leads there, found no such event.',
  },
  conflict: {
    code: 'CONFLICT_WITH_UNKNOWN',
    through: 'conflicts',
    message:
      'Expected the position that an identity conflict names to be where the same submission was stored, or a duplicate or conflict that leads there, found no such event.',
  },
} as const;

/**
 * References from events to other records. A duplicate and a conflict name the record that owns the
 * identity; a placement names the record whose object was adopted. Unresolved ones are rare, so they
 * are kept in memory.
 */
export class References {
  readonly #run: Run;
  readonly #claims: Claims;
  /** Events whose owner was not read yet: its partition is read later, or it is in flight. */
  readonly #pending: {
    readonly kind: keyof typeof UNKNOWN;
    readonly submission: string;
    readonly position: string;
    readonly of: Position;
  }[] = [];
  /** Objects that stored events adopted from other records. */
  readonly #adopted: {
    readonly submission: string;
    readonly by: Position;
    readonly from: Position;
  }[] = [];

  constructor(run: Run, claims: Claims) {
    this.#run = run;
    this.#claims = claims;
  }

  addOwner(kind: keyof typeof UNKNOWN, submission: string, position: string, of: Position): void {
    if (!this.#claims.isStored(submission, of))
      this.#pending.push({ kind, submission, position, of });
  }

  addAdopted(submission: string, by: Position, from: Position): void {
    this.#adopted.push({ submission, by, from });
  }

  /** Call after all events were read. `end` was read after them (RECONCILIATION §18). */
  async judge(before: Committed, end: Committed): Promise<void> {
    const left = this.#pending.filter(
      ({ submission, of }) => !this.#claims.isStored(submission, of),
    );
    if (left.length === 0 && this.#adopted.length === 0) return;
    const { deps, chain, report } = this.#run;
    const outcomes = await readOutcomes(
      deps.trail,
      new Set([...left, ...this.#adopted].map(({ submission }) => submission)),
    );
    for (const { kind, submission, position, of } of left) {
      const { code, through, message } = UNKNOWN[kind];
      // The owner was in flight then, and may itself have become a duplicate or a conflict.
      const last = outcomes.endOf(of, through);
      if (
        last !== undefined &&
        (this.#claims.isStored(submission, last) || chain.isInFlight(last, before, end))
      )
        continue;
      report.add({ code, position, submission, message });
    }
    this.#judgeAdopted(outcomes, before, end);
  }

  /**
   * An object may be adopted only from a record that is settled and not stored. A record that may
   * still be stored keeps its object. A record behind the adopting one in the same partition can no
   * longer be stored.
   */
  #judgeAdopted(outcomes: SubmissionOutcomes, before: Committed, end: Committed): void {
    const { chain, report } = this.#run;
    for (const { submission, by, from } of this.#adopted) {
      const outcome = outcomes.outcomeAt(from);
      const behind = partitionOf(by) === partitionOf(from) && from.offset > by.offset;
      const open = !chain.isRead(from) && chain.isInFlight(from, behind ? new Map() : before, end);
      if (outcome === undefined ? open : outcome !== 'stored') continue;
      report.add({
        code: 'ADOPTED_WRONGLY',
        position: formatPosition(by),
        submission,
        message:
          'Expected an object to be adopted from a record of the same submission that is settled and not stored, found another; see the event of the position that the placement names.',
      });
    }
  }
}
