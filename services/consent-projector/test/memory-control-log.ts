import { INITIAL_CONTROL, followControl } from '@residency/contracts';
import type { ErasureOrder, Erasures, LogEntry, LogRecord } from '@residency/contracts';
import type { OrderErasuresDeps } from '../src/order-erasures.ts';

/** A control log in memory. */
export class MemoryControlLog implements OrderErasuresDeps {
  records: readonly LogRecord[] = [];

  erasures = async (): Promise<Erasures | undefined> => {
    await Promise.resolve();
    return this.records.reduce(followControl, INITIAL_CONTROL).erasures;
  };

  append = async (entries: readonly LogEntry[]): Promise<void> => {
    await Promise.resolve();
    for (const { topic, record } of entries) {
      const offset = BigInt(this.records.length);
      this.records = [...this.records, { topic, partition: 0, offset, at: 1, ...record }];
    }
  };

  async orders(): Promise<readonly ErasureOrder[]> {
    return (await this.erasures())?.orders ?? [];
  }

  /** Each consent that is ordered, with how far. */
  async ordered(): Promise<readonly string[]> {
    return (await this.orders()).flatMap(({ consents }) =>
      consents.map(({ consentId, before }) => `${consentId} ${Date.parse(before)}`),
    );
  }
}
