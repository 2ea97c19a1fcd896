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

it('a fetch is read up to the last offset it brought, markers included, and nothing before what was asked for is given', () => {
  const [partition] = fetched(
    response([
      { partition: 0, messages: [message(3), message(4), message(5, true)], lastStable: 9 },
    ]),
    new Map([[0, 4n]]),
  );
  expect(partition?.messages.map(({ offset }) => offset)).toEqual(['4']);
  expect(partition?.next).toBe(6n);
});

it('an answer without any batch was read up to the last stable offset: what stood there was compacted away', () => {
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

it('a partition that got nothing while another did may still have something', () => {
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

it("reading never goes back, though a new leader's last stable offset may", () => {
  expect(next(response([{ partition: 0, lastStable: 2 }]), new Map([[0, 4n]]))).toEqual([4n]);
});
