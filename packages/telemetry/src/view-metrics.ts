import type { Instruments } from './instruments.ts';

/** The views as a service sees them when it is asked; what it can not tell is absent. */
export interface SeenViews {
  /** Milliseconds. */
  readonly consentWatermark?: number;
  readonly policyWatermark?: number;
  /** When the watermarks were seen, milliseconds; absent: just now. How far a view is behind is told as of then: what became of it since is not known. */
  readonly consentSeenAt?: number;
  readonly policySeenAt?: number;
  readonly inForce?: { readonly policy: string; readonly version: number };
}

/** Asked before each rendering; a rejection counts as seeing nothing. */
export type ViewsNow = () => SeenViews | Promise<SeenViews>;

export function viewMetrics(make: Instruments, seen: ViewsNow, now: () => number): void {
  const look = async (): Promise<SeenViews> => {
    try {
      return await seen();
    } catch {
      return {};
    }
  };
  // One look for both gauges of a rendering: each is rendered as soon as its own `collect` is done.
  let looking: Promise<SeenViews> | undefined;
  const looked = async (): Promise<SeenViews> =>
    await (looking ??= look().finally(() => {
      looking = undefined;
    }));
  const policy = make.gauge('residency_policy_in_force_info', async () => {
    const { inForce } = await looked();
    policy.reset();
    if (inForce !== undefined) policy.set({ policy: inForce.policy, version: inForce.version }, 1);
  });
  const lag = make.gauge('residency_view_watermark_lag_seconds', async () => {
    const {
      consentWatermark,
      policyWatermark,
      consentSeenAt = now(),
      policySeenAt = now(),
    } = await looked();
    lag.reset();
    for (const [view, watermark, at] of [
      ['consent', consentWatermark, consentSeenAt],
      ['policy', policyWatermark, policySeenAt],
    ] as const) {
      if (watermark !== undefined) lag.set({ view }, Math.max(0, at - watermark) / 1_000);
    }
  });
}
