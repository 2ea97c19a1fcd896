import type { ControlState } from '@residency/contracts';

export interface ControlView {
  /** What people left the system in. Throws with remedy `retry` where it was not read yet or can not be reached. */
  read(): Promise<ControlState>;
}
