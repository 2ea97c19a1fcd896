import type { ObjectMetadata, Position } from '@residency/contracts';
import type { ObjectStore } from './ports/object-store.ts';
import type { SettledOutcomes } from './ports/settled-outcomes.ts';

/** The record that is being placed. */
export interface Attempt {
  readonly position: Position;
  /** The last settled offset of the partition; `null`: none. Records after it have no event yet. */
  readonly previous: bigint | null;
}

/** A record that is being placed, with the sites and metadata of its objects. */
export interface Claim {
  readonly submission: string;
  readonly metadata: ObjectMetadata;
  readonly attempt: Attempt;
  /** The stores of the region's sites, in writing order. The first arbitrates. */
  readonly stores: readonly ObjectStore[];
  readonly outcomes: SettledOutcomes;
}
