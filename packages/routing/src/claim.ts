import type { ClaimedIdentity, ObjectMetadata, Position } from '@residency/contracts';
import type { ObjectStore } from './ports/object-store.ts';
import type { SettledOutcomes } from './ports/settled-outcomes.ts';

/** The record that is being placed. */
export interface Attempt {
  readonly position: Position;
  /** The last settled offset of the partition; `null`: none. Records after it have no event yet. */
  readonly previous: bigint | null;
  /**
   * The positions of earlier records of this batch that have the same identity and are refused as
   * erased. They have no event yet. The first site may have an object of one of them, if it lost its
   * tombstone.
   */
  readonly erased: readonly string[];
}

/** What an object's metadata say of its record, before the record is sealed. */
export type RecordMetadata = Omit<ObjectMetadata, 'sealedSha256' | 'wrappingKey'>;

/** A record that is being placed, with the sites and metadata of its objects. */
export interface Claim {
  readonly submission: string;
  readonly metadata: RecordMetadata;
  readonly attempt: Attempt;
  /** The stores of the region's sites, in writing order. The first arbitrates. */
  readonly stores: readonly ObjectStore[];
  /** The least number of sites that must have a sample before it is stored. */
  readonly settleWith: number;
  readonly outcomes: SettledOutcomes;
  /** Who owns the identity although the first site may not have its object. */
  readonly claimed?: ClaimedIdentity;
}

/** Whether a record may be settled without some of the later sites. `sites`: all of its region. */
export function mayOwe(settleWith: number, sites: readonly unknown[]): boolean {
  return settleWith < sites.length;
}
