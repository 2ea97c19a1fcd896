import type { ControlView } from './ports/control-view.ts';
import type { Batch, BatchResult, RouteBatch } from './ports/submission-log.ts';
import { settingAside } from './set-aside.ts';
import { RoutingError } from './routing-error.ts';
import { blockedBy } from './views.ts';

// A pause lasts minutes, so a delay of half a second after `resume` does not matter.
const PAUSE_POLL_MS = 500;

/**
 * Routes nothing while routing is paused, and quarantines records that a person set aside. Batches
 * in progress settle.
 */
export function pausable(route: RouteBatch, control: ControlView): RouteBatch {
  const past = settingAside(route, control);
  return async (batch: Batch): Promise<BatchResult> => {
    const offset = batch.records[0]?.offset ?? 0n;
    const state = await control.read().catch((error: unknown) => blockedBy(error, offset));
    if ('error' in state) return { settlements: [], blocked: state };
    if (state.mode !== 'paused') return await past(batch);
    const message =
      'Routing was paused by `residency pause`; `residency audit list --control` shows why, `residency resume` ends it.';
    return {
      settlements: [],
      blocked: {
        offset,
        error: new RoutingError({ code: 'ROUTING_PAUSED', message, remedy: 'retry' }),
        retryAfterMs: PAUSE_POLL_MS,
      },
    };
  };
}
