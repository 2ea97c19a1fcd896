import { awaitedSites } from '@residency/contracts';
import type { ControlState } from '@residency/contracts';
import type { Instruments } from './instruments.ts';

export interface ControlMetrics {
  /** The control state; `undefined`: unknown now. */
  is(state: Pick<ControlState, 'mode' | 'services'> | undefined): void;
}

const MODES = ['running', 'paused', 'draining'] as const;

export function controlMetrics(make: Instruments): ControlMetrics {
  const mode = make.gauge('residency_control_state');
  const out = make.gauge('residency_sites_out_of_service');
  return {
    is: (state) => {
      mode.reset();
      out.reset();
      if (state === undefined) return;
      for (const one of MODES) mode.set({ state: one }, one === state.mode ? 1 : 0);
      out.set(awaitedSites(state).size + changing(state));
    },
  };
}

/** Sites that a change of the arbiter is taking out. */
function changing({ services = {} }: Pick<ControlState, 'services'>): number {
  return Object.values(services).filter(({ closing }) => closing !== undefined).length;
}
