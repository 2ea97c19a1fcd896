import { setTimeout as sleep } from 'node:timers/promises';
import { evolve } from '@residency/consent';
import type { ConsentHistory } from '@residency/consent';
import { readConsentRecord } from '@residency/contracts';
import type { NewRecord } from '@residency/contracts';
import type { RedisConsentProjection } from '../src/redis-consent-projection.ts';

/**
 * A consent log in memory, and the least that projects it: no errors, no races. The real one is the
 * service's.
 */
export class TestProjector {
  readonly #projection: RedisConsentProjection;
  readonly #records: { readonly record: NewRecord; readonly at: number }[] = [];
  readonly #running: Promise<void>;
  #stopped = false;

  constructor(projection: RedisConsentProjection) {
    this.#projection = projection;
    this.#running = this.#run();
  }

  append(record: NewRecord): number {
    const at = Math.max(Date.now(), (this.#records.at(-1)?.at ?? 0) + 1);
    this.#records.push({ record, at });
    return at;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }

  async #run(): Promise<void> {
    while (!this.#stopped) {
      this.append({ key: Buffer.from('tick'), headers: [], value: null });
      await this.#step();
      await sleep(2);
    }
  }

  async #step(): Promise<void> {
    const expected = await this.#projection.position();
    const due = this.#records.slice(Number(expected?.next ?? 0n), Number(expected?.next ?? 0n) + 7);
    const events = due.flatMap(({ record, at }) => {
      const event = eventIn(record);
      return event === undefined ? [] : [{ event, at }];
    });
    const { histories } = await this.#projection.histories(
      events.map(({ event }) => event.consentId),
    );
    const changed = new Map<string, ConsentHistory>();
    for (const { event, at } of events)
      changed.set(
        event.consentId,
        evolve(changed.get(event.consentId) ?? histories.get(event.consentId) ?? [], event, at),
      );
    const to = {
      next: (expected?.next ?? 0n) + BigInt(due.length),
      watermark: due.at(-1)?.at ?? 0,
      halted: false,
    };
    await this.#projection.apply({ expected, to, histories: changed });
  }
}

function eventIn(record: NewRecord): ReturnType<typeof readConsentRecord> {
  try {
    return readConsentRecord(record);
  } catch {
    return undefined;
  }
}
