import type { ControlState } from '@residency/contracts';

export interface ControlView {
  /** The control state. Throws with remedy `retry` if it was not read yet or is unreachable. */
  read(): Promise<ControlState>;
}
