import { hasCode } from '@residency/coded-error';
import type { Topic } from '@residency/contracts';
import { pause } from '@residency/waiting';
import type { KafkaLog } from './kafka-log.ts';

/** A view that follows a log in the background. */
export interface FollowedView<T> {
  /** Throws while the log cannot be followed. */
  readFollowed(): Promise<T>;
}

const LOOK_EVERY_MS = 50;

/**
 * Reads a view while the log is reachable. Waits for the view's initial read; after that, a record
 * just appended may be missing until the view's next fetch.
 */
export async function readNow<T>(
  log: Pick<KafkaLog, 'ends'>,
  topic: Topic,
  view: FollowedView<T>,
  signal: AbortSignal,
): Promise<T> {
  await log.ends(topic);
  for (;;) {
    try {
      return await view.readFollowed();
    } catch (error) {
      if (signal.aborted || !hasCode(error, 'VIEW_NOT_READ')) throw error;
      await pause(LOOK_EVERY_MS, signal);
    }
  }
}
