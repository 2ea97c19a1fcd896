import { pause } from '@residency/waiting';
import pLimit from 'p-limit';
import { kafkaError, mayPass } from './kafka-error.ts';

export interface Opening<C> {
  readonly open: () => Promise<C>;
  readonly close: (connection: C) => Promise<void>;
}

/** About 3 s of attempts, longer than an election or a move of a coordinator. */
const ATTEMPTS = 5;

/**
 * Short requests over one connection, one at a time. The connection is opened at the first request,
 * and again after a failure. Transient failures are retried.
 */
export class SharedConnection<C> {
  readonly #opening: Opening<C>;
  readonly #mutex = pLimit(1);
  #connection: C | undefined;

  constructor(opening: Opening<C>) {
    this.#opening = opening;
  }

  /**
   * Throws coded errors that name `topic`, the cluster's name. A request may be repeated after it
   * was executed.
   */
  async ask<T>(question: (connection: C) => Promise<T>, topic?: string): Promise<T> {
    return await this.#mutex(async () => {
      for (let attempt = 1; ; attempt += 1) {
        // Outside of the attempts, because connecting has its own.
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
    await this.#mutex(() => this.#drop());
  }

  async #drop(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    if (connection !== undefined) await this.#opening.close(connection);
  }
}
