import { INITIAL_CONTROL, TOPICS, followControl } from '@residency/contracts';
import type { ControlState } from '@residency/contracts';
import type { ControlView } from '@residency/routing';
import { Following } from './following.ts';
import type { FollowingDeps } from './following.ts';

/** What people left the system in, followed in the background; where Kafka is away the last word holds. */
export class KafkaControlView implements ControlView {
  readonly #following: Following;
  #state: ControlState = INITIAL_CONTROL;

  /** `changed` is told of the state now and after each record. */
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
    this.#following.demandWhole();
    return this.#state;
  }

  /** The same, and throws also while Kafka is away, where `read` answers what it knew before. */
  async readFollowed(): Promise<ControlState> {
    const state = await this.read();
    this.#following.demandFollowed();
    return state;
  }
}
