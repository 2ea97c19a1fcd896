import { KafkaLogError } from '@residency/adapter-kafka';
import type { ReadOptions } from '@residency/adapter-kafka';
import { TOPICS, encodeAuditEvent, formatPosition } from '@residency/contracts';
import type { AuditEvent, LogRecord, QuarantineReason, Topic } from '@residency/contracts';
import { defined } from '@residency/defined';
import type { QuarantineLog } from '../src/quarantine-reader.ts';

interface Partition {
  start: bigint;
  records: LogRecord[];
}

/** Two topics of a cluster, which a test trims, breaks and looks into. */
export class MemoryLog implements QuarantineLog {
  readonly name = 'log-1';
  readonly #topics: ReadonlyMap<Topic, readonly Partition[]>;
  /** Offsets that audit events were read from, reading after reading. */
  readonly begun: (readonly bigint[])[] = [];
  /** How many audit events the next reading gives before it breaks. */
  breaksAfter = Infinity;
  /** Audit partitions in the order they are read. */
  order: readonly number[] = [0, 1];

  constructor() {
    this.#topics = new Map(
      [TOPICS.samples, TOPICS.audit, TOPICS.control].map((topic) => [
        topic,
        [0, 1].map(() => ({ start: 0n, records: [] })),
      ]),
    );
  }

  append(
    topic: Topic,
    partition: number,
    at: number,
    value: Buffer = Buffer.from('x'),
    headers: LogRecord['headers'] = [],
  ): bigint {
    const into = this.#partition(topic, partition);
    const offset = into.start + BigInt(into.records.length);
    into.records.push({ topic, partition, offset, at, key: null, headers, value });
    return offset;
  }

  /**
   * A record of the intake log and the event that says what became of it, one millisecond later.
   */
  settle(
    partition: number,
    at: number,
    how: { readonly reason?: QuarantineReason; readonly redriveOf?: string } = {},
  ): string {
    const position = {
      log: this.name,
      topic: TOPICS.samples,
      partition,
      offset: this.append(TOPICS.samples, partition, at),
    };
    const redrive = defined({ redriveOf: how.redriveOf });
    const event: AuditEvent =
      how.reason === undefined
        ? {
            position,
            at,
            outcome: 'refused',
            data: {
              previous: null,
              ...redrive,
              submission: 'a'.repeat(64),
              sampleBytes: 1,
              verdict: 'malicious',
              consentId: 'consent-0001',
              reason: 'CONSENT_UNKNOWN',
            },
          }
        : {
            position,
            at,
            outcome: 'quarantined',
            data: { previous: null, ...redrive, reason: how.reason },
          };
    this.append(TOPICS.audit, partition, at + 1, encodeAuditEvent(event));
    return formatPosition(position);
  }

  trim(topic: Topic, partition: number, before: bigint): void {
    const from = this.#partition(topic, partition);
    from.records = from.records.filter(({ offset }) => offset >= before);
    from.start = before;
  }

  starts(topic: Topic): Promise<ReadonlyMap<number, bigint>> {
    return this.#map(topic, ({ start }) => start);
  }

  ends(topic: Topic): Promise<ReadonlyMap<number, bigint>> {
    return this.#map(topic, ({ start, records }) => start + BigInt(records.length));
  }

  since(topic: Topic, at: number): Promise<ReadonlyMap<number, bigint>> {
    return this.#map(
      topic,
      ({ start, records }) =>
        records.find((record) => record.at >= at)?.offset ?? start + BigInt(records.length),
    );
  }

  ahead(topic: Topic, partition: number, offset: bigint): ReturnType<QuarantineLog['ahead']> {
    const { start, records } = this.#partition(topic, partition);
    const first = records.find((record) => record.offset >= offset);
    return Promise.resolve(
      first === undefined
        ? { upTo: start + BigInt(records.length) }
        : { first: { offset: first.offset, at: first.at }, upTo: first.offset + 1n },
    );
  }

  async *readBatches(topic: Topic, { from }: ReadOptions): AsyncGenerator<readonly LogRecord[]> {
    if (!(from instanceof Map)) throw new Error('Expected offsets.');
    if (topic === TOPICS.audit) this.begun.push([...from.values()]);
    let left = this.breaksAfter;
    this.breaksAfter = Infinity;
    for (const partition of this.order) {
      const { start, records } = this.#partition(topic, partition);
      const next = from.get(partition) ?? -1n;
      if (next < start || next > start + BigInt(records.length))
        throw new KafkaLogError({ code: 'OFFSET_OUT_OF_RANGE', remedy: 'stop', message: 'x' });
      for (const record of records.filter(({ offset }) => offset >= next)) {
        if (left === 0)
          throw new KafkaLogError({ code: 'KAFKA_UNREACHABLE', remedy: 'retry', message: 'x' });
        left -= 1;
        yield await Promise.resolve([record]);
      }
    }
  }

  #partition(topic: Topic, partition: number): Partition {
    const found = this.#topics.get(topic)?.[partition];
    if (found === undefined) throw new Error('Expected a partition of the test.');
    return found;
  }

  #map(topic: Topic, of: (partition: Partition) => bigint): Promise<ReadonlyMap<number, bigint>> {
    return Promise.resolve(
      new Map(this.#topics.get(topic)?.map((partition, index) => [index, of(partition)])),
    );
  }
}
