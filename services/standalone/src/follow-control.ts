import type { ControlState } from '@residency/contracts';
import type { ControlView } from '@residency/routing';
import { pause } from '@residency/waiting';

/** A pause or drain by another process takes effect within half a second. */
const LOOK_EVERY_MS = 250;

/**
 * Calls `follow` with the control state until `signal` is aborted. While the state cannot be read,
 * the last one applies.
 */
export async function followControlView(
  view: ControlView,
  follow: (state: ControlState) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const state = await view.read().catch(() => undefined);
    if (state !== undefined && !signal.aborted) follow(state);
    await pause(LOOK_EVERY_MS, signal);
  }
}
