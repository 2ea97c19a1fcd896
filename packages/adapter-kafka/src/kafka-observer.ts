import { TOPICS } from '@residency/contracts';
import type { ControlState } from '@residency/contracts';
import { IntakeObserver } from '@residency/observation';
import type { PolicyFacts } from '@residency/observation';
import type { Instant } from '@residency/residency';
import type { KafkaControlView } from './kafka-control-view.ts';
import type { KafkaLog } from './kafka-log.ts';
import type { KafkaPolicyView } from './kafka-policy-view.ts';
import { readNow } from './read-now.ts';

/**
 * Reads the facts of a cluster's logs. It follows the control and the policy log until the log is
 * closed.
 */
export class KafkaObserver extends IntakeObserver {
  readonly log: KafkaLog;
  readonly #now: () => Instant;
  readonly #control: KafkaControlView;
  readonly #policy: KafkaPolicyView;

  /** `now`: the wall clock. `onControl` is called with the current state and after each record. */
  constructor(log: KafkaLog, now: () => Instant, onControl?: (state: ControlState) => void) {
    super(log, now);
    this.log = log;
    this.#now = now;
    this.#control = log.controlView(onControl);
    this.#policy = log.policyView();
  }

  async control(signal: AbortSignal): Promise<ControlState> {
    return await readNow(this.log, TOPICS.control, this.#control, signal);
  }

  async policy(signal: AbortSignal): Promise<PolicyFacts> {
    const { watermark, versions } = await readNow(this.log, TOPICS.policy, this.#policy, signal);
    return { at: this.#now(), watermark, versions };
  }
}
