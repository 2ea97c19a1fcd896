import type { ControlState } from '@residency/contracts';
import type { Instant } from '@residency/residency';
import type { Told } from './told.ts';

/** The intake log, and what of it is settled. */
export interface IntakeLook {
  /** Sums over partitions: offsets that were ever given, and those that are settled. */
  readonly appended: bigint;
  readonly settled: bigint;
  readonly unsettled: bigint;
  readonly worst?: { readonly partition: number; readonly unsettled: bigint };
  /** Append time of the first record that is not settled. */
  readonly oldestAt?: Instant;
  /** Partitions whose first unsettled offset lies outside the log. */
  readonly lost: readonly number[];
  /** Monotonic, milliseconds. */
  readonly at: number;
}

/** A view's watermark is behind by that much; a data directory's is never. */
export interface ViewLook {
  readonly behindMs?: number;
  readonly halted?: boolean;
}

export interface PolicyLook extends ViewLook {
  readonly inForce?: string;
  readonly valid: number;
}

/** What stands in a system's logs and views, whoever runs or does not. Absent: it has no such thing. */
export interface SystemLook {
  readonly control: Told<ControlState>;
  readonly intake: Told<IntakeLook>;
  readonly consents?: Told<ViewLook>;
  readonly policy: Told<PolicyLook>;
}

/** What can be looked at again and again. */
export interface Looker {
  /** As the report names it. */
  readonly name: string;
  look(): Promise<SystemLook>;
  close(): Promise<void>;
}
