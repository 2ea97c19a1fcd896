import type { Kafka, Message, ProducerRecord, RecordMetadata } from 'kafkajs';
import { expect, test } from 'vitest';
import { SendQueue } from '../src/appending/send-queue.ts';
import { SILENT } from './some-kafka.ts';

const KiB = 1024;

/** A producer whose sends wait for the test. */
class ScriptedKafka {
  readonly sends: { record: ProducerRecord; answer: (given: RecordMetadata[] | Error) => void }[] =
    [];
  #next = new Map<number, number>();

  producer = () => ({
    connect: () => Promise.resolve(),
    disconnect: () => Promise.resolve(),
    send: (record: ProducerRecord): Promise<RecordMetadata[]> =>
      new Promise((resolve, reject) => {
        this.sends.push({
          record,
          answer: (given) => {
            if (given instanceof Error) reject(given);
            else resolve(given);
          },
        });
      }),
  });

  /** Answers the last send as a broker does that keeps all of it. */
  keep(): void {
    const { record, answer } = this.sends.at(-1) ?? never();
    answer(
      [...new Set(record.messages.map(partitionOf))].map((partition) => {
        const base = this.#next.get(partition) ?? 0;
        const count = record.messages.filter((one) => partitionOf(one) === partition).length;
        this.#next.set(partition, base + count);
        return {
          topicName: record.topic,
          partition,
          errorCode: 0,
          baseOffset: String(base),
        };
      }),
    );
  }
}

const never = (): never => {
  throw new Error('nothing was sent');
};
const partitionOf = ({ partition = -1 }: Message): number => partition;
const summary = ({ record: { topic, messages } }: ScriptedKafka['sends'][number]): string =>
  `${topic} ${messages.map((one) => `${partitionOf(one)}:${String(one.value)}`).join(' ')}`;
const turn = (): Promise<void> =>
  new Promise((resolve) => {
    setImmediate(resolve);
  });

function opened() {
  const kafka = new ScriptedKafka();
  const queue = new SendQueue(kafka as unknown as Kafka, SILENT);
  const results: string[] = [];
  const add = (topic: string, partition: number, name: string, bytes = 10): void => {
    queue.add([
      {
        topic,
        partition,
        bytes,
        message: { partition, value: name },
        appended: (offset) => results.push(`${name}@${offset}`),
        failed: (error) => results.push(`${name} ${(error as { code: string }).code}`),
      },
    ]);
  };
  return { kafka, queue, results, add };
}

test('what gathers while a send is under way goes in one request, one topic at a time, each partition in order', async () => {
  const { kafka, results, add } = opened();
  add('samples', 0, 'a');
  await turn();
  for (const [partition, name] of [
    [0, 'b'],
    [1, 'c'],
    [0, 'd'],
  ] as const)
    add('samples', partition, name);
  add('consents', 0, 'e');
  add('samples', 2, 'f');
  kafka.keep();
  await turn();
  kafka.keep();
  await turn();
  kafka.keep();
  await turn();
  expect(kafka.sends.map(summary)).toEqual([
    'samples 0:a',
    'samples 0:b 0:d 1:c 2:f',
    'consents 0:e',
  ]);
  expect(results.slice(0, 5)).toEqual(['a@0', 'b@1', 'd@2', 'c@0', 'f@0']);
});

test('a batch has at most 512 KiB, a request 4 MiB and a batch more, and a larger record goes alone', async () => {
  const { kafka, results, add } = opened();
  add('samples', 0, 'first');
  await turn();
  for (let nth = 0; nth < 3; nth += 1) add('samples', 0, `half-${nth}`, 256 * KiB);
  add('samples', 1, 'large', 600 * KiB);
  add('samples', 1, 'after');
  for (let partition = 2; partition < 14; partition += 1)
    add('samples', partition, 'full', 512 * KiB);
  for (let nth = 0; nth < 5; nth += 1) {
    kafka.keep();
    await turn();
  }
  expect(kafka.sends.map(summary)).toEqual([
    'samples 0:first',
    `samples 0:half-0 0:half-1 ${[2, 3, 4, 5, 6, 7, 8].map((p) => `${p}:full`).join(' ')}`,
    'samples 1:large',
    `samples ${[9, 10, 11, 12, 13].map((p) => `${p}:full`).join(' ')} 0:half-2 1:after`,
  ]);
  expect(results).toHaveLength(18);
});

test('a failed request fails all of its records, and the next one has another producer', async () => {
  const { kafka, results, add } = opened();
  add('samples', 0, 'a');
  await turn();
  add('samples', 0, 'b');
  add('samples', 1, 'c');
  kafka.keep();
  await turn();
  kafka.sends.at(-1)?.answer(new Error('lost'));
  await turn();
  add('samples', 1, 'd');
  await turn();
  kafka.keep();
  await turn();
  expect(results.map((one) => one.split(' ')[0])).toEqual(['a@0', 'b', 'c', 'd@0']);
});

test('an answer without the offset of a partition fails its request', async () => {
  const { kafka, results, add } = opened();
  add('samples', 0, 'a');
  await turn();
  kafka.sends.at(-1)?.answer([]);
  await turn();
  expect(results).toHaveLength(1);
  expect(results[0]).not.toContain('@');
});
