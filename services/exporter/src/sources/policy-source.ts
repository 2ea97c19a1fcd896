import { readNow } from '@residency/adapter-kafka';
import type { FollowedView, KafkaLog } from '@residency/adapter-kafka';
import { TOPICS } from '@residency/contracts';
import { policyInForce, validPolicies } from '@residency/residency';
import type { PolicyPublished } from '@residency/residency';
import type { PolicyReading } from '@residency/routing';
import type { ExporterMetrics, SeenViews } from '@residency/telemetry';
import type { SeenNow } from '../seen-now.ts';
import type { Source } from '../source.ts';

export interface PolicySourceDeps {
  readonly log: Pick<KafkaLog, 'ends'>;
  readonly view: FollowedView<PolicyReading>;
  readonly metrics: ExporterMetrics;
  readonly seen: SeenNow;
  readonly now: () => number;
}

/** The policy log: how far it is, what is in force, how many versions count. */
export function policySource({ log, view, metrics, seen, now }: PolicySourceDeps): Source {
  return {
    name: 'policy',
    read: async (signal) => {
      const { watermark, versions } = await readNow(log, TOPICS.policy, view, signal);
      const policies = {
        policyWatermark: watermark,
        policySeenAt: now(),
        ...inForce(versions, watermark),
      };
      const valid = validPolicies(versions).length;
      return () => {
        seen.policies = policies;
        metrics.policyVersions(valid);
      };
    },
    forget: () => {
      seen.policies = {};
      metrics.policyVersions(undefined);
    },
  };
}

function inForce(
  versions: readonly PolicyPublished[],
  watermark: number,
): Pick<SeenViews, 'inForce'> {
  const version = policyInForce(versions, watermark);
  return version === undefined
    ? {}
    : { inForce: { policy: version.document.id, version: version.document.version } };
}
