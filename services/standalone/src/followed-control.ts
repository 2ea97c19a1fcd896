import type { SqliteLog } from '@residency/adapter-sqlite';
import { INITIAL_CONTROL, logLevelOf } from '@residency/contracts';
import type { ControlState } from '@residency/contracts';
import type { WorkContext } from '@residency/operations';
import type { Logger, Metrics } from '@residency/telemetry';
import { EmbeddedControlView } from './embedded-control-view.ts';
import { followControlView } from './follow-control.ts';

/** Applies the control state to this process, besides the router: log level, metrics, readiness. */
export class FollowedControl {
  readonly view: EmbeddedControlView;
  readonly #logger: Logger;
  readonly #metrics: ReturnType<Metrics['control']>;
  #state: ControlState = INITIAL_CONTROL;
  #paused: WorkContext['paused'] = () => undefined;

  constructor(
    log: Pick<SqliteLog, 'read'>,
    { logger, metrics }: { readonly logger: Logger; readonly metrics: Metrics },
  ) {
    this.view = new EmbeddedControlView(log);
    this.#logger = logger;
    this.#metrics = metrics.control();
  }

  get state(): ControlState {
    return this.#state;
  }

  async read(): Promise<void> {
    this.#take(await this.view.read());
  }

  /** Calls `paused` with the current state, and with each later one. */
  report(paused: WorkContext['paused']): void {
    this.#paused = paused;
    paused(this.#state.mode === 'paused');
  }

  /** Follows the state until `signal` is aborted. */
  async follow(signal: AbortSignal): Promise<void> {
    await followControlView(
      this.view,
      (state) => {
        this.#take(state);
      },
      signal,
    );
  }

  #take(state: ControlState): void {
    this.#logger.setLevel(logLevelOf(state, 'standalone'));
    this.#metrics.is(state);
    this.#paused(state.mode === 'paused');
    if (state.mode !== this.#state.mode)
      this.#logger.debug('The control log says otherwise.', { outcome: state.mode });
    this.#state = state;
  }
}
