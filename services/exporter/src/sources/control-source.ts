import { readNow } from '@residency/adapter-kafka';
import type { FollowedView, KafkaLog } from '@residency/adapter-kafka';
import { TOPICS } from '@residency/contracts';
import type { ControlState } from '@residency/contracts';
import type { ControlMetrics } from '@residency/telemetry';
import type { Source } from '../source.ts';

/** What people left the system in. */
export function controlSource(
  log: Pick<KafkaLog, 'ends'>,
  view: FollowedView<ControlState>,
  metrics: ControlMetrics,
): Source {
  return {
    name: 'control',
    read: async (signal) => {
      const { mode } = await readNow(log, TOPICS.control, view, signal);
      return () => {
        metrics.is(mode);
      };
    },
    forget: () => {
      metrics.is(undefined);
    },
  };
}
