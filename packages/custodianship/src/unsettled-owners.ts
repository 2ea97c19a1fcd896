import { formatPosition, namedOwner, parsePosition } from '@residency/contracts';
import type { AuditEvent, ClaimedIdentity } from '@residency/contracts';
import { partitionOf, placeOf } from './place-of.ts';

/** For a register. */
export interface SavedOwners {
  /** By partition of the intake log, with log and topic: the last record that is settled. */
  readonly settled: readonly (readonly [partition: string, offset: bigint])[];
  readonly named: readonly ClaimedIdentity[];
}

/**
 * The records that duplicates and conflicts of one region name as an identity's owner, and that are not
 * settled by what was read. Once all partitions are read there are at most as many as routers have in
 * work. Each takes about 300 bytes.
 */
export class UnsettledOwners {
  readonly #region: string;
  readonly #settled: Map<string, bigint>;
  readonly #named: Map<string, ClaimedIdentity>;

  constructor(region: string, saved: SavedOwners = { settled: [], named: [] }) {
    this.#region = region;
    this.#settled = new Map(saved.settled);
    this.#named = new Map(saved.named.map((claim) => [claim.of, claim]));
  }

  /** Call for each audit event of any region, in the order of each partition. */
  see(event: AuditEvent): void {
    const { position, outcome, data } = event;
    this.#settled.set(partitionOf(position), position.offset);
    // For memory alone: `all` leaves it out anyway.
    if (this.#named.size > 0) this.#named.delete(formatPosition(position));
    if (outcome === 'stored' || !('decision' in data) || data.decision?.region !== this.#region)
      return;
    const claim = claimBy(event);
    if (claim !== undefined && !this.#isSettled(claim.of)) this.#named.set(claim.of, claim);
  }

  get all(): readonly ClaimedIdentity[] {
    return [...this.#named.values()].filter(({ of }) => !this.#isSettled(of));
  }

  save(): SavedOwners {
    return { settled: [...this.#settled], named: this.all };
  }

  #isSettled(position: string): boolean {
    const [partition, offset] = placeOf(position);
    return offset <= (this.#settled.get(partition) ?? -1n);
  }
}

/**
 * The owner that a duplicate or a conflict names. `undefined`: none, or one of another log. No event
 * of this log will say what became of that one, so every record of the identity would wait for it.
 */
function claimBy(event: AuditEvent): ClaimedIdentity | undefined {
  const owner = namedOwner(event);
  const { submission } = event.data;
  if (owner === undefined || submission === undefined) return undefined;
  const { log, topic } = parsePosition(owner.of);
  return log === event.position.log && topic === event.position.topic
    ? { submission, ...owner }
    : undefined;
}
