import { encodeRegister } from './register-format.ts';
import type { Register, RegisterTopics } from './register-format.ts';
import type { PassedOverCode } from './open-register.ts';
import type { RegisterStore } from './ports/register-store.ts';

/** How a custodian keeps its register for its next start. None of the calls may throw. */
export interface RegisterKeeping {
  readonly store: RegisterStore;
  /** The ids of the topics now. */
  readonly topics: RegisterTopics;
  /** Called at the start for a register that is not used; both logs are read from their start. */
  readonly passedOver: (code: PassedOverCode, error?: unknown) => void;
  /** Called at the start for a register that is used. `at`: when it was saved, wall clock, milliseconds. */
  readonly opened: (register: { readonly bytes: number; readonly at: number }) => void;
  /** Called for each register that was saved. */
  readonly saved: (bytes: number) => void;
  /** Called for each failure to save one. The work goes on. */
  readonly failed: (error: unknown) => void;
  /** Records that are followed before it is saved again; default: 10,000. */
  readonly afterRecords?: number;
}

/** Reading ten thousand records again takes about a third of a second. */
const AFTER_RECORDS = 10_000;
/** The least time between two savings. */
const EVERY_MS = 60_000;

/** Saves a register when it is due. */
export class RegisterKeeper {
  readonly #keeping: RegisterKeeping | undefined;
  readonly #elapsed: () => number;
  /** Records followed when it was saved. */
  #kept = 0;
  #notBefore = -Infinity;

  /** `elapsed`: monotonic, milliseconds. */
  constructor(keeping: RegisterKeeping | undefined, elapsed: () => number) {
    this.#keeping = keeping;
    this.#elapsed = elapsed;
  }

  isDue(followed: number): boolean {
    const after = this.#keeping?.afterRecords ?? AFTER_RECORDS;
    return (
      this.#keeping !== undefined &&
      followed - this.#kept >= after &&
      this.#elapsed() >= this.#notBefore
    );
  }

  /** Saves it if anything was followed since. Never rejects. */
  async keep(followed: number, register: (topics: RegisterTopics) => Register): Promise<void> {
    if (this.#keeping === undefined || followed === this.#kept) return;
    const { store, topics, saved, failed } = this.#keeping;
    try {
      saved(await store.replace(encodeRegister(register(topics))));
      this.#kept = followed;
    } catch (error) {
      failed(error);
    }
    this.#notBefore = this.#elapsed() + EVERY_MS;
  }
}
