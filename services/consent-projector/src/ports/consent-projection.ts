import type { ConsentHistory } from '@residency/consent';

/** How far the log was projected. Positions are equal if all their fields are; then the states behind them are too. */
export interface ProjectedPosition {
  readonly log: string;
  /** Differs with every projection begun at the log's start. */
  readonly generation: string;
  /** Offset of the first record not read yet. */
  readonly next: bigint;
  /** Latest append time of the records read; milliseconds. */
  readonly watermark: number;
  /** Nobody decides by the view as long as this is set. */
  readonly halted: boolean;
}

/**
 * Where position and states are kept, and moved together or not at all. It may lose all of it, or turn into an older copy of itself,
 * between any two calls. Methods throw with remedy `retry` where it cannot be reached; an `apply` that threw may have been applied.
 */
export interface ConsentProjection {
  /** `undefined`: it begins, or was emptied. */
  position(): Promise<ProjectedPosition | undefined>;
  /** Position and histories of one moment; an id without a history is absent. */
  histories(
    consentIds: readonly string[],
  ): Promise<{
    readonly position: ProjectedPosition | undefined;
    readonly histories: ReadonlyMap<string, ConsentHistory>;
  }>;
  /** Sets position and `histories` (whole ones) if the position is `expected`; else changes nothing and says which it `found`. */
  apply(step: {
    readonly expected: ProjectedPosition | undefined;
    readonly to: Pick<ProjectedPosition, 'next' | 'watermark' | 'halted'>;
    readonly histories: ReadonlyMap<string, ConsentHistory>;
  }): Promise<
    | { readonly applied: true; readonly position: ProjectedPosition }
    | { readonly applied: false; readonly found: ProjectedPosition | undefined }
  >;
}
