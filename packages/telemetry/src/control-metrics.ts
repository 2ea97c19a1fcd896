import type { Instruments } from './instruments.ts';

export interface ControlMetrics {
  /** The state that people left the system in. */
  is(mode: 'running' | 'paused' | 'draining'): void;
}

const MODES = ['running', 'paused', 'draining'] as const;

export function controlMetrics(make: Instruments): ControlMetrics {
  const state = make.gauge('residency_control_state');
  return { is: (mode) => { for (const one of MODES) state.set({ state: one }, one === mode ? 1 : 0); } };
}
