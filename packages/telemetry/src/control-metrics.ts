import type { Instruments } from './instruments.ts';

export interface ControlMetrics {
  /** The control state; `undefined`: unknown now. */
  is(mode: 'running' | 'paused' | 'draining' | undefined): void;
}

const MODES = ['running', 'paused', 'draining'] as const;

export function controlMetrics(make: Instruments): ControlMetrics {
  const state = make.gauge('residency_control_state');
  return {
    is: (mode) => {
      if (mode === undefined) state.reset();
      else for (const one of MODES) state.set({ state: one }, one === mode ? 1 : 0);
    },
  };
}
