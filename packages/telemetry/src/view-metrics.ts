import { inForceIn } from '@residency/observation';
import type { PolicyFacts, ViewFacts } from '@residency/observation';
import type { Instruments } from './instruments.ts';

/** The views of a service; `undefined`: not known, or it has none. */
export interface SeenViews {
  readonly consents?: Pick<ViewFacts, 'at' | 'watermark'> | undefined;
  readonly policy?: PolicyFacts | undefined;
}

/** Called before each rendering with the time. A rejection means that all values are unknown. */
export type ViewsNow = (now: number) => SeenViews | Promise<SeenViews>;

export function viewMetrics(make: Instruments, seen: ViewsNow, now: () => number): void {
  const look = async (): Promise<SeenViews> => {
    try {
      return await seen(now());
    } catch {
      return {};
    }
  };
  // Both gauges of a rendering share one read: each is rendered as soon as its own `collect` is
  // done.
  let looking: Promise<SeenViews> | undefined;
  const looked = async (): Promise<SeenViews> =>
    await (looking ??= look().finally(() => {
      looking = undefined;
    }));
  const policy = make.gauge('residency_policy_in_force_info', async () => {
    const { policy: facts } = await looked();
    policy.reset();
    const inForce = facts === undefined ? undefined : inForceIn(facts);
    if (inForce !== undefined) policy.set({ policy: inForce.id, version: inForce.version }, 1);
  });
  const lag = make.gauge('residency_view_watermark_lag_seconds', async () => {
    const { consents, policy: facts } = await looked();
    lag.reset();
    for (const [view, { at, watermark } = {}] of [
      ['consent', consents],
      ['policy', facts],
    ] as const) {
      // As of when it was read: its progress since then is unknown.
      if (at !== undefined && watermark !== undefined)
        lag.set({ view }, Math.max(0, at - watermark) / 1_000);
    }
  });
}
