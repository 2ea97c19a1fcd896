import { hasCode, remedyOf } from '@residency/coded-error';
import type { Logger } from '@residency/telemetry';
import { shareNext } from '@residency/waiting';
import { ReconcilerError } from './reconciler-error.ts';
import { decodeState, encodeState } from './saved-state.ts';
import type { SavedState } from './saved-state.ts';

/** The storage of the state between processes, such as `StateFile`. */
export interface StateStore {
  read(): Promise<Buffer | undefined>;
  replace(bytes: Uint8Array): Promise<void>;
  setAside(): Promise<string>;
}

export interface StateKeeperDeps {
  readonly store: StateStore;
  readonly save: () => SavedState;
  /** Called with each failure to save, and with `undefined` once it is saved. */
  readonly onSaved: (error: unknown) => void;
}

/**
 * The longest time between a change and its saving. After a kill, the reads of that time are
 * repeated.
 */
const EVERY_MS = 1_000;

/**
 * Saves the state while it changes. If saving fails for a while, reading continues; a process that
 * starts meanwhile repeats the reads.
 */
export class StateKeeper {
  readonly #deps: StateKeeperDeps;
  #timer: NodeJS.Timeout | undefined;
  readonly #keepNext = shareNext(() => this.#keep());

  constructor(deps: StateKeeperDeps) {
    this.#deps = deps;
  }

  /** Saves within a second. */
  soon(): void {
    this.#timer ??= setTimeout(() => {
      void this.now();
    }, EVERY_MS).unref();
  }

  /** Saves the state of some moment after the call. Never rejects. */
  async now(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#keepNext();
  }

  async #keep(): Promise<void> {
    try {
      await this.#deps.store.replace(encodeState(this.#deps.save()));
      this.#deps.onSaved(undefined);
    } catch (error) {
      this.#deps.onSaved(error);
      if (remedyOf(error) === 'retry') this.soon();
    }
  }
}

/**
 * Reads the state of an earlier process. Damaged bytes are set aside, and `undefined` is returned.
 * Throws `STATE_OF_ANOTHER_LOG` (stop).
 */
export async function readState(
  store: StateStore,
  { log, cluster }: Pick<SavedState, 'log' | 'cluster'>,
  logger: Pick<Logger, 'error'>,
): Promise<SavedState | undefined> {
  const bytes = await store.read();
  if (bytes === undefined) return undefined;
  let saved: SavedState;
  try {
    saved = decodeState(bytes);
  } catch (error) {
    if (!hasCode(error, 'STATE_DAMAGED')) throw error;
    await store.setAside();
    logger.error('The state was damaged; new passes begin.', { error });
    return undefined;
  }
  if (saved.log === log && saved.cluster === cluster) return saved;
  throw new ReconcilerError({
    code: 'STATE_OF_ANOTHER_LOG',
    remedy: 'stop',
    message:
      "Expected the folder in RESIDENCY_RECONCILER_STATE_DIR to hold the state of this log on this cluster, found another's. Give each reconciler a folder of its own; if the log was made anew under its name, empty the folder.",
  });
}
