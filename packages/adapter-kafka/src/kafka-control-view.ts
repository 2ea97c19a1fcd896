import { INITIAL_CONTROL, TOPICS, followControl } from '@residency/contracts';
import type { ControlState } from '@residency/contracts';
import type { ControlView } from '@residency/routing';
import { Following } from './following.ts';
import type { FollowingDeps } from './following.ts';

/**
 * The control state, followed in the background. While Kafka is unreachable, the last state
 * applies.
 */
export class KafkaControlView implements ControlView {
  readonly #following: Following;
  #state: ControlState = INITIAL_CONTROL;

  /** `changed` is called with the current state and after each record. */
  constructor(
    deps: Omit<FollowingDeps, 'topic' | 'add'>,
    changed: (state: ControlState) => void = () => undefined,
  ) {
    changed(this.#state);
    this.#following = new Following({
      ...deps,
      topic: TOPICS.control,
      add: (record) => {
        changed((this.#state = followControl(this.#state, record)));
      },
    });
  }

  /** Throws as `Following` does. */
  async read(): Promise<ControlState> {
    await Promise.resolve();
    this.#following.requireInitialRead();
    return this.#state;
  }

  /** The state after every record that the log held at the call. Throws while Kafka is unreachable. */
  async readToEnd(): Promise<ControlState> {
    await this.#following.caughtUp();
    return this.#state;
  }

  /**
   * Like `read`, but throws while Kafka is unreachable. `read` returns the last known state then.
   */
  async readFollowed(): Promise<ControlState> {
    const state = await this.read();
    this.#following.requireCurrent();
    return state;
  }
}
