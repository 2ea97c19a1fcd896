import { hasCode } from '@residency/coded-error';
import type { Topic } from '@residency/contracts';
import type { KafkaLog } from './kafka-log.ts';
import { pause } from './reading/pause.ts';

/** A view that follows a log in the background. */
export interface FollowedView<T> {
  /** Throws while the log can not be followed. */
  readFollowed(): Promise<T>;
}

const LOOK_EVERY_MS = 50;

/** A reading of now: the log answers, and the view that follows it is whole. Waits while it is read for the first time. */
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
