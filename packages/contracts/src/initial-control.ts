import type { ControlState } from './control-state.ts';

/** Before any control event. */
export const INITIAL_CONTROL: ControlState = { mode: 'running', logLevels: {} };
