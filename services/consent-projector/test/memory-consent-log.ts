import { encodeKafkaStructured } from '@residency/cloudevents';
import { evolve } from '@residency/consent';
import type { ConsentEvent, ConsentHistory } from '@residency/consent';
import { CONSENT_TICK, TOPICS, consentCloudEvent, consentEntry } from '@residency/contracts';
import type { LogRecord, NewRecord } from '@residency/contracts';
import type { ConsentSource } from '../src/ports/consent-source.ts';
import { SALT } from '@residency/testkit';

const TICK: NewRecord = {
  key: Buffer.from('tick'),
  ...encodeKafkaStructured({
    specversion: '1.0',
    id: 'tick',
    source: '/residency/consent-projector',
    type: CONSENT_TICK,
    extensions: {},
  }),
};

/** A consent log in memory. Remembers what folding its events gives, for every prefix. */
export class MemoryConsentLog implements ConsentSource {
  readonly log: string = 'log-1';
  records: readonly LogRecord[] = [];
  /** As brokers tell it. */
  id: string | undefined;
  /** How many records the next batch has at most. */
  batchSize: () => number = () => 100;
  /** Where readers began. */
  readonly begun: (bigint | undefined)[] = [];
  readonly #events: { readonly next: bigint; readonly event: ConsentEvent; readonly at: number }[] =
    [];
  #next = 0n;
  #more = Promise.withResolvers<void>();

  topicId(): Promise<string | undefined> {
    return Promise.resolve(this.id);
  }

  publish(event: ConsentEvent, at: number): LogRecord {
    this.#events.push({ next: this.#next + 1n, event, at });
    return this.append(
      consentEntry(consentCloudEvent(event, { id: `e-${this.#next}`, source: 'urn:test' }), SALT)
        .record,
      at,
    );
  }

  tick(at: number): LogRecord {
    return this.append(TICK, at);
  }

  append(content: NewRecord, at: number): LogRecord {
    const record = { topic: TOPICS.consents, partition: 0, offset: this.#next, at, ...content };
    this.#next += 1n;
    this.records = [...this.records, record];
    this.#more.resolve();
    this.#more = Promise.withResolvers();
    return record;
  }

  /** What the events before `next` amount to. */
  histories(next = this.#next): ReadonlyMap<string, ConsentHistory> {
    const histories = new Map<string, ConsentHistory>();
    for (const { event, at } of this.#events.filter((one) => one.next <= next)) {
      const history = evolve(histories.get(event.consentId) ?? [], event, at);
      if (history.length > 0) histories.set(event.consentId, history);
    }
    return histories;
  }

  async *batches(
    from: bigint | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<readonly LogRecord[]> {
    this.begun.push(from);
    const aborted = Promise.withResolvers<void>();
    signal.addEventListener('abort', () => {
      aborted.resolve();
    });
    let next = from ?? 0n;
    while (!signal.aborted) {
      const more = this.#more.promise;
      const due = this.records
        .filter(({ offset }) => offset >= next)
        .slice(0, Math.max(1, this.batchSize()));
      next = (due.at(-1)?.offset ?? next - 1n) + 1n;
      if (due.length > 0) yield due;
      else await Promise.race([more, aborted.promise]);
    }
  }

  async end(): Promise<bigint> {
    return this.#next;
  }
}
