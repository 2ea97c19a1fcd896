import type { RedisConsentView } from '@residency/adapter-redis';
import type { ExporterMetrics } from '@residency/telemetry';
import type { SeenNow } from '../seen-now.ts';
import type { Source } from '../source.ts';

/** The consent view in Redis. Where there is none it can not be told, as where Redis is away: routing waits in either case. */
export function consentViewSource(
  view: Pick<RedisConsentView, 'position'>,
  {
    metrics,
    seen,
    now,
  }: { readonly metrics: ExporterMetrics; readonly seen: SeenNow; readonly now: () => number },
): Source {
  return {
    name: 'redis',
    read: async () => {
      const { watermark, halted } = await view.position();
      const at = now();
      return () => {
        seen.consents = { consentWatermark: watermark, consentSeenAt: at };
        metrics.consentHalted(halted);
      };
    },
    forget: () => {
      seen.consents = {};
      metrics.consentHalted(undefined);
    },
  };
}
