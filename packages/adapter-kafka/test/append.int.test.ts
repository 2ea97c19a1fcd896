import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { TOPICS } from '@residency/contracts';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { partitionOf } from '../src/appending/choose-partition.ts';
import { openKafkaLog } from '../src/kafka-log.ts';
import type { KafkaLog } from '../src/kafka-log.ts';
import { SILENT, asAdmin, someKafka, text } from './some-kafka.ts';
import type { SomeKafka } from './some-kafka.ts';

const MiB = 1024 * 1024;
let some: SomeKafka;
let log: KafkaLog;

beforeAll(async () => {
  some = await someKafka({ partitions: 6 });
  ({ log } = some);
});
afterAll(() => some.close());

it("puts a key's records into the partition that every Kafka client chooses", async () => {
  const positions = await log.append(
    ['a', 'b', 'c', ''].map((key) => ({ topic: TOPICS.samples, record: text('x', key) })),
  );
  expect(positions.map(({ partition }) => partition)).toEqual(
    ['a', 'b', 'c', ''].map((key) => partitionOf(Buffer.from(key), 6)),
  );
});

it('returns the position of each record, in the given order, under any number of concurrent calls', async () => {
  const calls = await Promise.all(
    Array.from({ length: 40 }, async (_, call) => {
      const entries = Array.from({ length: 25 }, (__, index) => ({
        topic: index % 2 === 0 ? TOPICS.samples : TOPICS.quarantine,
        record: text(`${call}/${index}`, index % 3 === 0 ? null : `${call}-${index % 5}`),
      }));
      return { entries, positions: await log.append(entries) };
    }),
  );
  const placed = calls.flatMap(({ entries, positions }) =>
    positions.map((position, index) => ({ position, entry: entries[index] })),
  );
  expect(
    new Set(
      placed.map(({ position }) => `${position.topic}/${position.partition}/${position.offset}`),
    ).size,
  ).toBe(1_000);
  const found = new Map<string, string>();
  for (const topic of [TOPICS.samples, TOPICS.quarantine]) {
    for await (const record of log.read(topic, { until: 'end' }))
      found.set(`${topic}/${record.partition}/${record.offset}`, String(record.value));
  }
  for (const { position, entry } of placed)
    expect(found.get(`${position.topic}/${position.partition}/${position.offset}`)).toBe(
      entry?.record.value?.toString(),
    );
  for (const { positions } of calls) {
    for (const partition of [0, 1, 2, 3, 4, 5]) {
      const offsets = positions
        .filter((position) => position.topic === TOPICS.samples && position.partition === partition)
        .map(({ offset }) => offset);
      expect(offsets).toEqual(offsets.toSorted((a, b) => Number(a - b)));
    }
  }
});

it('accepts records of 24 MiB, alone and beside small ones', async () => {
  const value = Buffer.alloc(24 * MiB - 1_024, 'v');
  const key = Buffer.alloc(256, 'k');
  const positions = await log.append(
    [
      text('before', 'k'),
      { key, headers: [['h', Buffer.alloc(500)]], value } as const,
      text('after', 'k'),
    ].map((record) => ({ topic: TOPICS.samples, record })),
  );
  const [, large] = positions;
  expect((large && (await log.readAt(large)))?.value?.equals(value)).toBe(true);
});

it('refuses a record that is too large for every topic, and reports one that is too large for its topic', async () => {
  await expect(
    log.append([
      { topic: TOPICS.samples, record: { key: null, headers: [], value: Buffer.alloc(26 * MiB) } },
    ]),
  ).rejects.toMatchObject({ code: 'RECORD_TOO_LARGE', remedy: 'stop' });
  await expect(
    log.append([
      {
        topic: TOPICS.control,
        record: { key: Buffer.from('k'), headers: [], value: Buffer.alloc(2 * MiB) },
      },
    ]),
  ).rejects.toMatchObject({
    code: 'RECORD_TOO_LARGE',
    message: expect.stringContaining('residency.control'),
  });
  await log.append([{ topic: TOPICS.control, record: text('small', 'k') }]);
});

it('moves both watermarks by a tick', async () => {
  await log.tick(42);
  for (const topic of [TOPICS.consents, TOPICS.policy]) {
    const [record] = await Array.fromAsync(log.read(topic, { until: 'end' }));
    expect([String(record?.key), JSON.parse(String(record?.value))]).toEqual([
      'tick',
      expect.objectContaining({ id: '42' }),
    ]);
  }
});

describe('opening', () => {
  it("refuses a cluster other than the log's", async () => {
    const { clusterId } = await asAdmin(some.kafka, async (admin) => await admin.describeCluster());
    await (await openKafkaLog({ ...some.settings, clusterId }, SILENT)).close();
    await expect(
      openKafkaLog({ ...some.settings, clusterId: 'another' }, SILENT),
    ).rejects.toMatchObject({ code: 'LOG_MISMATCH', remedy: 'stop' });
  });

  it('reports that no broker answers, and may be retried', async () => {
    await expect(
      openKafkaLog({ ...some.settings, brokers: ['127.0.0.1:1'] }, SILENT),
    ).rejects.toMatchObject({ code: 'KAFKA_UNREACHABLE', remedy: 'retry' });
  });

  it('keeps the process alive no longer once it is closed', async () => {
    const program = `import { openKafkaLog } from '${new URL('../src/index.ts', import.meta.url).href}';
      const silent = () => {};
      const log = await openKafkaLog(${JSON.stringify(some.settings)}, { debug: silent, info: silent, warn: silent, error: silent });
      const stop = new AbortController();
      const view = log.policyView();
      const reading = log.read('threat.samples', { until: 'aborted', signal: stop.signal });
      await Promise.all(Array.from({ length: 20 }, () => log.tick(1)));
      await reading.next();
      await log.lag();
      await log.close();
      console.log('closed');`;
    const { stdout } = await promisify(execFile)(process.execPath, [
      '--input-type=module',
      '--eval',
      program,
    ]);
    expect(stdout.trim()).toBe('closed');
  });
});
