import { namedOwner, parsePosition } from '@residency/contracts';
import type { NamedOwner, Position } from '@residency/contracts';
import type { Attempt, Claim } from './claim.ts';
import { otherRecord, positionBeyond } from './placing-errors.ts';
import type { ObjectHead } from './ports/object-store.ts';

/** What became of the record that an object names. */
export interface Fate {
  readonly kind: /** `owner` is stored. */
    | 'stored'
    /** The record is settled, and its event leads to no stored record, or to the one being placed. */
    | 'void'
    /**
     * `owner` is not settled. `settling`: it precedes the record being placed in its batch. `behind`:
     * it follows that record in its partition and cannot settle before it.
     */
    | 'unsettled'
    | 'settling'
    | 'behind'
    /** The position belongs to another log, or its event was deleted. */
    | 'unknown';
  /** The record to which the events lead; if `void`, the one that the object names. */
  readonly owner: NamedOwner;
}

/**
 * The most links of a chain of duplicates and conflicts. The outcome in each link was settled before
 * the event that names it, or was in flight then. Longer chains have never been observed.
 */
const MOST_LINKS = 64;

/**
 * Follows events from the object's record to the owner of the identity: a duplicate names it, and so
 * does a conflict (docs/decisions/0036, rule 5). Throws `LOG_REWOUND` if the object cannot have been
 * written from this log.
 */
export async function fateOf(head: ObjectHead, claim: Claim, site: string): Promise<Fate> {
  const first = recordOf(head);
  let owner = first;
  for (let link = 0; link < MOST_LINKS; link += 1) {
    const { of } = owner;
    if (of === claim.metadata.position) return { kind: 'void', owner: first };
    const position = parsePosition(of);
    if (claim.attempt.erased.includes(of)) return { kind: 'void', owner: first };
    if (isSettling(position, claim.attempt)) return { kind: 'settling', owner };
    const outcome = await claim.outcomes.outcomeOf(position);
    switch (outcome.state) {
      case 'beyond':
        throw positionBeyond(site, of);
      case 'foreign':
      case 'forgotten':
        return { kind: 'unknown', owner };
      case 'unsettled':
        return { kind: isBehind(position, claim.attempt) ? 'behind' : 'unsettled', owner };
      case 'settled':
        break;
      default:
        return outcome satisfies never;
    }
    const { event } = outcome;
    if (event.data.submission !== undefined && event.data.submission !== claim.submission)
      throw otherRecord(site, of);
    if (event.outcome === 'stored') {
      const { sampleSha256, country } = event.data;
      return { kind: 'stored', owner: { of, sampleSha256, country } };
    }
    const named = namedOwner(event);
    if (named === undefined) return { kind: 'void', owner: first };
    owner = named;
  }
  return { kind: 'unknown', owner };
}

/** The record whose object it is. */
function recordOf({ metadata: { position, sampleSha256, country } }: ObjectHead): NamedOwner {
  return { of: position, sampleSha256, country };
}

function isSettling(position: Position, { position: own, previous }: Attempt): boolean {
  return (
    inOnePartition(position, own) &&
    position.offset < own.offset &&
    position.offset > (previous ?? -1n)
  );
}

function isBehind(position: Position, { position: own }: Attempt): boolean {
  return inOnePartition(position, own) && position.offset > own.offset;
}

function inOnePartition(a: Position, b: Position): boolean {
  return a.log === b.log && a.topic === b.topic && a.partition === b.partition;
}
