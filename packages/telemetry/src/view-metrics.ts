import { codeOf } from '@residency/coded-error';
import type { Instruments } from './instruments.ts';

/** The views as a service sees them when it is asked; what it can not tell is absent. */
export interface SeenViews {
  /** Milliseconds. */
  readonly consentWatermark?: number;
  readonly policyWatermark?: number;
  readonly consentHalted?: boolean;
  readonly inForce?: { readonly policy: string; readonly version: number };
}

/** Asked before each rendering; a rejection counts as seeing nothing. */
export type ViewsNow = () => SeenViews | Promise<SeenViews>;

export interface ViewMetrics {
  /** The code of what kept the views from being seen at the last rendering, if anything did. */
  readonly trouble: string | undefined;
}

export function viewMetrics(make: Instruments, seen: ViewsNow, now: () => number): ViewMetrics {
  const policy = make.gauge('residency_policy_in_force_info');
  let trouble: string | undefined;
  const lag = make.gauge('residency_view_watermark_lag_seconds', async () => {
    const views = await look();
    lag.reset();
    policy.reset();
    for (const [view, watermark] of [['consent', views.consentWatermark], ['policy', views.policyWatermark]] as const) {
      if (watermark !== undefined) lag.set({ view }, Math.max(0, now() - watermark) / 1_000);
    }
    if (views.inForce !== undefined) policy.set({ policy: views.inForce.policy, version: views.inForce.version }, 1);
  });
  const look = async (): Promise<SeenViews> => {
    try {
      trouble = undefined;
      return await seen();
    } catch (error) {
      trouble = codeOf(error) ?? 'UNKNOWN';
      return {};
    }
  };
  return { get trouble() { return trouble; } };
}
