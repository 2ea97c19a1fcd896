import { kafkaError, mayPass } from './kafka-error.ts';
import { pause } from './reading/pause.ts';
import { Serially } from './serially.ts';

export interface Opening<C> {
  readonly open: () => Promise<C>;
  readonly close: (connection: C) => Promise<void>;
}

/** Elections and coordinators that move are over by then, about 3 s. */
const ATTEMPTS = 5;

/** Short questions over one connection, one at a time. It is opened when first needed, and anew after a failure; what passes by itself is asked again. */
export class SharedConnection<C> {
  readonly #opening: Opening<C>;
  readonly #steps = new Serially();
  #connection: C | undefined;

  constructor(opening: Opening<C>) {
    this.#opening = opening;
  }

  /** Throws coded errors; `topic`, the cluster's name, stands in their messages. A question may be asked again after it was answered. */
  async ask<T>(question: (connection: C) => Promise<T>, topic?: string): Promise<T> {
    return await this.#steps.run(async () => {
      for (let attempt = 1; ; attempt += 1) {
        // Outside of the attempts: it has its own.
        this.#connection ??= await this.#opening.open();
        try {
          return await question(this.#connection);
        } catch (cause) {
          await this.#drop();
          const error = kafkaError(cause, topic);
          if (!mayPass(error) || attempt >= ATTEMPTS) throw error;
          await pause(100 * 2 ** attempt);
        }
      }
    });
  }

  async close(): Promise<void> {
    await this.#steps.run(() => this.#drop());
  }

  async #drop(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection !== undefined) await this.#opening.close(connection);
  }
}
