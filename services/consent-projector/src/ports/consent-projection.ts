import type { ConsentHistory } from '@residency/consent';

/**
 * The progress of the projection. If two positions have equal fields, the states behind them are
 * equal too.
 */
export interface ProjectedPosition {
  readonly log: string;
  /** The id of the source topic. Absent: the brokers do not support topic ids. */
  readonly topicId?: string;
  /** Differs for every projection that starts at the log's beginning. */
  readonly generation: string;
  /** The offset of the first record that was not read yet. */
  readonly next: bigint;
  /** Latest append time of the records read; milliseconds. */
  readonly watermark: number;
  /** True: no decision may be based on the view. */
  readonly halted: boolean;
}

/**
 * Stores position and states, and moves them together or not at all. Between two calls it may lose
 * everything, or become an older copy of itself. Methods throw with remedy `retry` if it cannot be
 * reached; an `apply` that threw may have been applied.
 */
export interface ConsentProjection {
  /** `undefined`: nothing was projected yet, or the store was emptied. */
  position(): Promise<ProjectedPosition | undefined>;
  /** Position and histories from one moment. An id without a history is absent. */
  histories(consentIds: readonly string[]): Promise<{
    readonly position: ProjectedPosition | undefined;
    readonly histories: ReadonlyMap<string, ConsentHistory>;
  }>;
  /**
   * Sets the position and the complete `histories` if the position is `expected`. Otherwise changes
   * nothing and returns the position that it `found`.
   */
  apply(step: {
    readonly expected: ProjectedPosition | undefined;
    readonly to: Pick<ProjectedPosition, 'topicId' | 'next' | 'watermark' | 'halted'>;
    readonly histories: ReadonlyMap<string, ConsentHistory>;
  }): Promise<
    | { readonly applied: true; readonly position: ProjectedPosition }
    | { readonly applied: false; readonly found: ProjectedPosition | undefined }
  >;
}
