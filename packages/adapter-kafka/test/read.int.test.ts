import { createRequire } from 'node:module';
import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { TOPICS } from '@residency/contracts';
import type { LogRecord } from '@residency/contracts';
import { defined } from '@residency/defined';
import { eventually } from '@residency/testkit';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Producer } from 'kafkajs';
import type { KafkaLog } from '../src/kafka-log.ts';
import { asAdmin, someKafka, text } from './some-kafka.ts';
import type { SomeKafka } from './some-kafka.ts';

const Broker = createRequire(import.meta.url)('kafkajs/src/broker') as {
  readonly prototype: { fetch: (request: { readonly minBytes: number }) => Promise<unknown> };
};

let some: SomeKafka;
let log: KafkaLog;
const producers: Producer[] = [];

beforeEach(async () => {
  some = await someKafka({ partitions: 3 });
  ({ log } = some);
});

afterEach(async () => {
  await Promise.all(producers.splice(0).map((producer) => producer.disconnect()));
  await some.close();
});

async function transactional(id: string): Promise<Producer> {
  const producer = some.kafka.producer({
    idempotent: true,
    transactionalId: `${some.settings.topicPrefix}${id}`,
    maxInFlightRequests: 1,
    transactionTimeout: 30_000,
  });
  await producer.connect();
  producers.push(producer);
  return producer;
}

const samples = (): string => `${some.settings.topicPrefix}${TOPICS.samples}`;
const audit = (): string => `${some.settings.topicPrefix}${TOPICS.audit}`;

async function contents(records: AsyncIterable<LogRecord>): Promise<string[]> {
  return (await Array.fromAsync(records)).map(({ value }) => String(value));
}

async function send(
  producer: Producer,
  topic: string,
  values: readonly string[],
  end: 'commit' | 'abort',
): Promise<void> {
  const transaction = await producer.transaction();
  await transaction.send({ topic, messages: values.map((value) => ({ partition: 0, value })) });
  await transaction[end]();
}

describe('reading a topic to its end', () => {
  it('returns at once where there is nothing', async () => {
    expect(await contents(log.read(TOPICS.samples, { until: 'end' }))).toEqual([]);
  });

  it('gives only the partitions that are asked for', async () => {
    await log.append(
      Array.from({ length: 90 }, (_, index) => ({
        topic: TOPICS.samples,
        record: text(`${index}`, `key-${index % 17}`),
      })),
    );
    const all = await Array.fromAsync(log.read(TOPICS.samples, { until: 'end' }));
    for (const from of [undefined, { at: 1 }, new Map([[1, 2n]])]) {
      const read = await Array.fromAsync(
        log.read(TOPICS.samples, {
          partitions: [1],
          until: 'end',
          ...defined({ from }),
        }),
      );
      expect(read).toEqual(
        all.filter(
          ({ partition, offset }) => partition === 1 && (!(from instanceof Map) || offset >= 2n),
        ),
      );
    }
  });

  it('gives every record once, in order within its partition, with its append time', async () => {
    const before = Date.now();
    const entries = Array.from({ length: 300 }, (_, index) => ({
      topic: TOPICS.samples,
      record: text(`${index}`, `key-${index % 17}`),
    }));
    const positions = await log.append(entries);
    const read = await Array.fromAsync(log.read(TOPICS.samples, { until: 'end' }));
    const byPlace = new Map(read.map((record) => [`${record.partition}/${record.offset}`, record]));
    expect(read).toHaveLength(300);
    expect(
      positions.map(({ partition, offset }) =>
        String(byPlace.get(`${partition}/${offset}`)?.value),
      ),
    ).toEqual(entries.map((_, index) => `${index}`));
    expect(new Set(read.map(({ partition }) => partition))).toEqual(new Set([0, 1, 2]));
    for (const partition of [0, 1, 2]) {
      const offsets = read
        .filter((record) => record.partition === partition)
        .map(({ offset }) => offset);
      expect(offsets).toEqual(offsets.toSorted((a, b) => Number(a - b)));
    }
    expect(read.every(({ at }) => at >= before - 1_000 && at <= Date.now() + 1_000)).toBe(true);
  });

  it('gives records byte for byte: null and empty, names in their order, also where one comes again', async () => {
    const records = [
      { key: null, headers: [], value: null },
      {
        key: Buffer.alloc(0),
        headers: [
          ['a', Buffer.from([0xff, 0x00])],
          ['b', Buffer.alloc(0)],
          ['a', Buffer.from('2')],
        ] as [string, Buffer][],
        value: Buffer.alloc(0),
      },
      {
        key: Buffer.from([0x80]),
        headers: [
          ['2', Buffer.from('x')],
          ['1', Buffer.from('x')],
          ['constructor', Buffer.from('y')],
          ['__proto__', Buffer.from('z')],
          ['ünïcode', Buffer.from('x')],
        ] as [string, Buffer][],
        value: Buffer.from([0, 255, 10]),
      },
    ];
    const positions = await log.append(
      records.map((record) => ({ topic: TOPICS.samples, record })),
    );
    const read = await Array.fromAsync(log.read(TOPICS.samples, { until: 'end' }));
    const found = positions.map((position) =>
      read.find(
        ({ partition, offset }) => partition === position.partition && offset === position.offset,
      ),
    );
    expect(
      found.map(
        (record) => record && { key: record.key, headers: record.headers, value: record.value },
      ),
    ).toEqual(records);
    expect(found.map((record) => record?.topic)).toEqual([
      TOPICS.samples,
      TOPICS.samples,
      TOPICS.samples,
    ]);
  });

  it('gives nothing of aborted transactions, and ends behind them and their markers', async () => {
    const producer = await transactional('a');
    await send(producer, samples(), ['kept 1', 'kept 2'], 'commit');
    await send(producer, samples(), ['aborted 1', 'aborted 2'], 'abort');
    await log.append([{ topic: TOPICS.samples, record: text('plain', 'k') }]);
    await send(producer, samples(), ['aborted 3'], 'abort');
    const read = await contents(log.read(TOPICS.samples, { until: 'end' }));
    expect(read.toSorted()).toEqual(['kept 1', 'kept 2', 'plain']);
  });

  it('gives nothing of several aborted transactions that were open at once, wherever reading begins', async () => {
    const [a, b] = [await transactional('a'), await transactional('b')];
    const [first, second] = [await a.transaction(), await b.transaction()];
    await first.send({ topic: samples(), messages: [{ partition: 0, value: 'aborted a' }] });
    await second.send({ topic: samples(), messages: [{ partition: 0, value: 'aborted b' }] });
    await first.send({
      topic: samples(),
      messages: [
        { partition: 0, key: Buffer.alloc(4), value: 'aborted a, with a key like a marker' },
      ],
    });
    await first.send({ topic: samples(), messages: [{ partition: 0, value: 'aborted a again' }] });
    await second.send({ topic: samples(), messages: [{ partition: 0, value: 'aborted b again' }] });
    await second.abort();
    await first.abort();
    await send(a, samples(), ['kept'], 'commit');
    for (const from of [0n, 1n, 2n, 3n, 4n])
      expect(
        await contents(log.read(TOPICS.samples, { from: new Map([[0, from]]), until: 'end' })),
      ).toEqual(['kept']);
  });

  it('waits for a transaction that was open at the call', async () => {
    const producer = await transactional('a');
    const transaction = await producer.transaction();
    await transaction.send({
      topic: samples(),
      messages: [{ partition: 0, value: 'decided later' }],
    });
    const reading = contents(log.read(TOPICS.samples, { until: 'end' }));
    await log.append([{ topic: TOPICS.samples, record: text('after the call', 'k') }]);
    await transaction.commit();
    expect(await reading).toContain('decided later');
  });

  it("ends where the log's start was trimmed up to its end, and begins behind what was trimmed", async () => {
    await log.append(
      Array.from({ length: 9 }, (_, index) => ({
        topic: TOPICS.control,
        record: text(`${index}`, 'k'),
      })),
    );
    const admin = some.kafka.admin();
    await admin.connect();
    const topic = `${some.settings.topicPrefix}${TOPICS.control}`;
    // Only a topic that is not compacted can be trimmed.
    await admin.alterConfigs({
      validateOnly: false,
      resources: [
        { type: 2, name: topic, configEntries: [{ name: 'cleanup.policy', value: 'delete' }] },
      ],
    });
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '5' }] });
    expect(await contents(log.read(TOPICS.control, { until: 'end' }))).toEqual([
      '5',
      '6',
      '7',
      '8',
    ]);
    await expect(
      contents(log.read(TOPICS.control, { from: new Map([[0, 4n]]), until: 'end' })),
    ).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE', remedy: 'stop' });
    await expect(
      contents(log.read(TOPICS.control, { from: new Map([[0, 10n]]), until: 'aborted' })),
    ).rejects.toMatchObject({ code: 'OFFSET_OUT_OF_RANGE' });
    await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '9' }] });
    expect(await contents(log.read(TOPICS.control, { until: 'end' }))).toEqual([]);
    expect(
      await log.readAt({ log: 'log-1', topic: TOPICS.control, partition: 0, offset: 4n }),
    ).toBeUndefined();
    await admin.disconnect();
  });

  it('begins at a time', async () => {
    await log.append([{ topic: TOPICS.samples, record: text('old', 'k') }]);
    await eventually(() => Promise.resolve(Date.now() % 2 === 0 ? true : undefined));
    const [position] = await log.append([{ topic: TOPICS.samples, record: text('new', 'k') }]);
    const found = position && (await log.readAt(position));
    expect(
      await contents(log.read(TOPICS.samples, { from: { at: found?.at ?? 0 }, until: 'end' })),
    ).toContain('new');
    expect(
      await contents(
        log.read(TOPICS.samples, { from: { at: (found?.at ?? 0) + 1 }, until: 'end' }),
      ),
    ).toEqual([]);
  });
});

/** Turns of the event loop that are over before any timer is. */
const TURNS = 50;

describe('following a topic', () => {
  it('asks the broker for the next record as soon as it has one, for one at least, until it is aborted', async () => {
    const asked = vi.spyOn(Broker.prototype, 'fetch');
    onTestFinished(() => {
      asked.mockRestore();
    });
    const stop = new AbortController();
    const seen = new Set<string>();
    const following = (async () => {
      for await (const record of log.read(TOPICS.consents, {
        until: 'aborted',
        signal: stop.signal,
      }))
        seen.add(String(record.value));
    })();
    await log.append([{ topic: TOPICS.consents, record: text('first', 'k') }]);
    await eventually(() => Promise.resolve(seen.has('first') || undefined));
    let askedAgain = 0;
    for (let index = 0; index < 10; index += 1) {
      await log.append([{ topic: TOPICS.consents, record: text(`${index}`, 'k') }]);
      let [idle, longest] = [0, 0];
      for (let after = 0; after < TURNS; after += seen.has(`${index}`) ? 1 : 0) {
        await setImmediate();
        idle = asked.mock.settledResults.at(-1)?.type === 'incomplete' ? 0 : idle + 1;
        longest = Math.max(longest, idle);
      }
      if (longest < TURNS) askedAgain += 1;
    }
    // Now and then it first asks whether the topic is still the same.
    expect(askedAgain).toBeGreaterThan(5);
    expect(new Set(asked.mock.calls.map(([{ minBytes }]) => minBytes))).toEqual(new Set([1]));
    stop.abort();
    await following;
  });

  it('asks for no more than it was taken', async () => {
    const value = Buffer.alloc(512 * 1024, 'x');
    await log.append(
      Array.from({ length: 40 }, () => ({
        topic: TOPICS.samples,
        record: { key: Buffer.from('one'), headers: [], value },
      })),
    );
    const batches = log.readBatches(TOPICS.samples, { until: 'end' });
    const first = await batches.next();
    expect(first.done).toBe(false);
    expect(first.value?.length).toBeLessThanOrEqual(8);
    await batches.return(undefined);
  });

  it('ends when the log is closed', async () => {
    const following = contents(log.read(TOPICS.samples, { until: 'aborted' }));
    await log.append([{ topic: TOPICS.samples, record: text('x') }]);
    await log.close();
    expect((await following).length).toBeLessThanOrEqual(1);
    await expect(log.append([])).rejects.toMatchObject({ code: 'LOG_CLOSED' });
  });
});

describe('single records', () => {
  it('are read at their position, and only where readers may see one', async () => {
    const producer = await transactional('a');
    const [position] = await log.append([{ topic: TOPICS.samples, record: text('there') }]);
    expect(String((position && (await log.readAt(position)))?.value)).toBe('there');
    await send(producer, audit(), ['aborted'], 'abort');
    await send(producer, audit(), ['kept'], 'commit');
    const at = async (offset: bigint): Promise<string | undefined> =>
      (
        await log.readAt({ log: 'log-1', topic: TOPICS.audit, partition: 0, offset })
      )?.value?.toString();
    expect([await at(0n), await at(1n), await at(2n), await at(3n), await at(4n)]).toEqual([
      undefined,
      undefined,
      'kept',
      undefined,
      undefined,
    ]);
    for (const other of [{ log: 'log-2' }, { topic: 'other' }, { partition: 9 }]) {
      expect(position && (await log.readAt({ ...position, ...other }))).toBeUndefined();
    }
  });

  it('are not there while their transaction is open', async () => {
    const producer = await transactional('a');
    const transaction = await producer.transaction();
    await transaction.send({ topic: audit(), messages: [{ partition: 0, value: 'open' }] });
    expect(
      await log.readAt({ log: 'log-1', topic: TOPICS.audit, partition: 0, offset: 0n }),
    ).toBeUndefined();
    await transaction.abort();
  });

  it('the last audit event is found behind any number of markers, aborted ones and records that are none', async () => {
    const event = (offset: number): string =>
      JSON.stringify({ id: `log-1/threat.samples/0/${offset}` });
    expect(await log.lastAuditEvent(0)).toBeUndefined();
    const producer = await transactional('a');
    await send(producer, audit(), ['aborted'], 'abort');
    expect(await log.lastAuditEvent(0)).toBeUndefined();
    await send(producer, audit(), [event(1), event(2), 'no event', '{"id":"ledger/1"}'], 'commit');
    for (let index = 0; index < 60; index += 1) await send(producer, audit(), ['aborted'], 'abort');
    expect((await log.lastAuditEvent(0))?.value?.toString()).toBe(event(2));
    expect(await log.lastAuditEvent(1)).toBeUndefined();
  });
});

describe('offsets', () => {
  it('say where each partition starts and ends, and what the routers have not settled', async () => {
    await log.append(
      Array.from({ length: 30 }, (_, index) => ({
        topic: TOPICS.samples,
        record: text('x', `${index}`),
      })),
    );
    const ends = await log.ends(TOPICS.samples);
    expect([...ends.values()].reduce((sum, end) => sum + end, 0n)).toBe(30n);
    expect(await log.starts(TOPICS.samples)).toEqual(
      new Map([
        [0, 0n],
        [1, 0n],
        [2, 0n],
      ]),
    );
    expect(await log.committed()).toEqual(new Map());
    expect(await log.lag()).toEqual(ends);
    await asAdmin(some.kafka, async (admin) => {
      await admin.setOffsets({
        groupId: `${some.settings.topicPrefix}residency-router`,
        topic: samples(),
        partitions: [{ partition: 1, offset: '2' }],
      });
    });
    expect(await log.committed()).toEqual(new Map([[1, 2n]]));
    expect((await log.lag()).get(1)).toBe((ends.get(1) ?? 0n) - 2n);
  });

  it('of a topic that is missing are refused by name', async () => {
    await asAdmin(some.kafka, async (admin) => {
      await admin.deleteTopics({ topics: [samples()] });
    });
    await expect(log.ends(TOPICS.samples)).rejects.toMatchObject({
      code: 'TOPIC_MISSING',
      remedy: 'stop',
      message: expect.stringContaining(samples()),
    });
    await expect(log.append([{ topic: TOPICS.samples, record: text('x') }])).rejects.toMatchObject({
      code: 'TOPIC_MISSING',
    });
    await expect(contents(log.read(TOPICS.samples, { until: 'end' }))).rejects.toMatchObject({
      code: 'TOPIC_MISSING',
    });
  });
});

describe('a reading of both logs of a region', () => {
  it('has no records of a custody log that was not made yet', async () => {
    expect(await Array.fromAsync(log.custodyRecords('nowhere').read())).toEqual([]);
  });

  it('rejects with the reason of its signal, and does not end as if it were complete', async () => {
    const producer = await transactional('open');
    const transaction = await producer.transaction();
    await transaction.send({ topic: audit(), messages: [{ partition: 0, value: 'undecided' }] });
    const stop = new AbortController();
    const reason = new Error('a person went away');
    // It waits for the open transaction.
    const reading = Array.fromAsync(log.auditFeed(stop.signal).read(0, 0n));
    const waited = Promise.race([reading.catch(() => 'ended'), sleep(1_000, 'waits')]);
    expect(await waited).toBe('waits');
    stop.abort(reason);
    await expect(reading).rejects.toBe(reason);
    await transaction.abort();
  });
});
