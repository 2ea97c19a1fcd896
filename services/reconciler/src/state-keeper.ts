import { hasCode, remedyOf } from '@residency/coded-error';
import type { Logger } from '@residency/telemetry';
import { ReconcilerError } from './reconciler-error.ts';
import { decodeState, encodeState } from './saved-state.ts';
import type { SavedState } from './saved-state.ts';

/** Where the state is kept between processes; as `StateFile`. */
export interface StateStore {
  read(): Promise<Buffer | undefined>;
  replace(bytes: Uint8Array): Promise<void>;
  setAside(): Promise<string>;
}

export interface KeeperTerms {
  readonly store: StateStore;
  readonly save: () => SavedState;
  /** Told of each failure to keep it, and `undefined` once it is kept. */
  readonly told: (error: unknown) => void;
}

/** So much may have to be read again after a kill. */
const EVERY_MS = 1_000;

/** Keeps the state while it changes: the reading goes on where that fails for a while, and is repeated by a process that begins in between. */
export class StateKeeper {
  readonly #terms: KeeperTerms;
  #timer: NodeJS.Timeout | undefined;
  #last: Promise<void> = Promise.resolve();
  /** To be written once what is being written is. */
  #next: Promise<void> | undefined;

  constructor(terms: KeeperTerms) {
    this.#terms = terms;
  }

  /** Within a second. */
  soon(): void {
    this.#timer ??= setTimeout(() => {
      void this.now();
    }, EVERY_MS).unref();
  }

  /** As it is at some moment from the call on. Never rejects. */
  async now(): Promise<void> {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#next ??= this.#last.then(() => {
      this.#next = undefined;
      return this.#keep();
    });
    this.#last = this.#next;
    await this.#next;
  }

  async #keep(): Promise<void> {
    try {
      await this.#terms.store.replace(encodeState(this.#terms.save()));
      this.#terms.told(undefined);
    } catch (error) {
      this.#terms.told(error);
      if (remedyOf(error) === 'retry') this.soon();
    }
  }
}

/** What an earlier process kept. Damaged bytes are set aside, and there is none; throws `STATE_OF_ANOTHER_LOG` (stop). */
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
    logger.error('The state was damaged; the passes begin anew.', { error });
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
