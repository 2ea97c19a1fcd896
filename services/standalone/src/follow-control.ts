import { setTimeout as sleep } from 'node:timers/promises';
import type { ControlState } from '@residency/contracts';
import type { ControlView } from '@residency/routing';

/** Whoever paused or drained by another process sees it followed within half a second. */
const LOOK_EVERY_MS = 250;

/** Tells `follow` what people left the system in, until `signal` is aborted; where it can not be read, the last word holds. */
export async function followControlView(
  view: ControlView,
  follow: (state: ControlState) => void,
  signal: AbortSignal,
): Promise<void> {
  while (!signal.aborted) {
    const state = await view.read().catch(() => undefined);
    if (state !== undefined && !signal.aborted) follow(state);
    await sleep(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
  }
}
