import { expect, it } from 'vitest';
import type { FetchResponse } from '../src/kafkajs/cluster.ts';
import type { FetchedMessage } from '../src/kafkajs/record-batch.ts';
import { fetched } from '../src/reading/fetched.ts';

const message = (offset: number, isControlRecord = false): FetchedMessage => ({
  magicByte: 2,
  attributes: 0,
  timestamp: '1',
  offset: `${offset}`,
  key: null,
  value: null,
  headers: [],
  isControlRecord,
  batchContext: { producerId: '-1', inTransaction: false },
});

function response(
  partitions: readonly {
    partition: number;
    messages?: readonly FetchedMessage[];
    lastStable: number;
  }[],
): FetchResponse {
  return {
    responses: [
      {
        partitions: partitions.map(({ partition, messages = [], lastStable }) => ({
          partition,
          messages,
          highWatermark: `${lastStable + 9}`,
          lastStableOffset: `${lastStable}`,
          abortedTransactions: [],
        })),
      },
    ],
  };
}

const next = (answer: FetchResponse, from: ReadonlyMap<number, bigint>): bigint[] =>
  fetched(answer, from).map((each) => each.next);

it('a fetch is read up to its last offset, markers included, and returns nothing before the requested offset', () => {
  const [partition] = fetched(
    response([
      { partition: 0, messages: [message(3), message(4), message(5, true)], lastStable: 9 },
    ]),
    new Map([[0, 4n]]),
  );
  expect(partition?.messages.map(({ offset }) => offset)).toEqual(['4']);
  expect(partition?.next).toBe(6n);
});

it('a response without any batch is read up to the last stable offset: the records there were compacted away', () => {
  expect(
    next(
      response([
        { partition: 0, lastStable: 7 },
        { partition: 1, lastStable: 3 },
      ]),
      new Map([
        [0, 4n],
        [1, 3n],
      ]),
    ),
  ).toEqual([7n, 3n]);
});

it('a partition without records may still have some if another one got a batch', () => {
  expect(
    next(
      response([
        { partition: 0, lastStable: 7 },
        { partition: 1, messages: [message(3)], lastStable: 4 },
      ]),
      new Map([
        [0, 4n],
        [1, 3n],
      ]),
    ),
  ).toEqual([4n, 4n]);
});

it("a read never goes back, although a new leader's last stable offset may", () => {
  expect(next(response([{ partition: 0, lastStable: 2 }]), new Map([[0, 4n]]))).toEqual([4n]);
});
