import type { Instant } from '@residency/residency';
import type { ViewFacts } from './snapshot.ts';

/** What an observer asks a consent view. Rejects with a coded error if it does not answer. */
export interface PositionedView {
  position(): Promise<Pick<ViewFacts, 'watermark' | 'halted'>>;
}

/** Rejects as the view does. `now`: the wall clock. */
export async function observeConsents(
  view: PositionedView,
  now: () => Instant,
): Promise<ViewFacts> {
  const { watermark, halted } = await view.position();
  return { at: now(), watermark, halted };
}
