import type { LogRecord } from '@residency/contracts';
import type { Session } from '../terminal/session.ts';
import { counted } from '../terminal/table.ts';

/**
 * Records that do not fit their topic. Everybody with write access to the topic controls them. A
 * command does not fail on one, and reports it.
 */
export class PassedOver {
  #count = 0;
  #first = '';

  get any(): boolean {
    return this.#count > 0;
  }

  /**
   * The result of `read` for the record's value. If it throws: `undefined`, and the record is
   * counted.
   */
  read<T>(
    { topic, partition, offset, value }: LogRecord,
    read: (value: Buffer) => T,
  ): T | undefined {
    try {
      return read(value ?? Buffer.alloc(0));
    } catch {
      if (this.#count === 0) this.#first = `${topic}/${partition}/${offset}`;
      this.#count += 1;
      return undefined;
    }
  }

  say({ output }: Pick<Session, 'output'>): void {
    if (this.any)
      output.note(
        `Passed over ${counted(this.#count, 'record')} that no router wrote, the first at ${this.#first}; see \`residency reconcile\` and who may write there.`,
      );
  }
}
