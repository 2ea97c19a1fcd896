import type { ConsentHistory } from '@residency/consent';

export interface ConsentReading {
  /**
   * Every consent event appended before this instant is in `histories`; milliseconds. Read in one
   * step with them.
   */
  readonly watermark: number;
  /** An id that is absent has no event before the watermark. */
  readonly histories: ReadonlyMap<string, ConsentHistory>;
}

export interface ConsentView {
  /**
   * One round trip for all ids. Throws with remedy `retry` if the view is unreachable or
   * incomplete. Never guesses.
   */
  read(consentIds: readonly string[]): Promise<ConsentReading>;
}
