import type { LogRecord } from '@residency/contracts';
import { expect, it } from 'vitest';
import { KafkaAuditFeed } from '../src/kafka-audit-feed.ts';

/** A partition with records at these offsets; a transaction's marker is behind each. */
function feedOf(offsets: bigint[]) {
  const begun: bigint[] = [];
  const feed = new KafkaAuditFeed({
    partitions: async () => [0],
    end: async () => (offsets.at(-1) ?? -2n) + 2n,
    read: async function* read(_, __, from) {
      begun.push(from);
      for (const offset of offsets.filter((one) => one >= from))
        // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the rest is not read
        yield [{ offset, value: null } as LogRecord];
    },
  });
  const read = async (from: bigint): Promise<readonly bigint[]> =>
    (await Array.fromAsync(feed.read(0, from))).map(({ offset }) => offset);
  return { feed, begun, read };
}

it('no reading is begun while nothing was appended since the last one', async () => {
  const offsets = [0n, 2n];
  const { begun, read } = feedOf(offsets);
  expect(await read(0n)).toEqual([0n, 2n]);
  for (let times = 0; times < 3; times += 1) expect(await read(3n)).toEqual([]);
  expect(begun).toEqual([0n]);
  offsets.push(4n);
  expect(await read(3n)).toEqual([4n]);
  expect(await read(5n)).toEqual([]);
  expect(begun).toEqual([0n, 3n]);
});

it('what was read before is read again, and what was not read to its end too', async () => {
  const { feed, begun, read } = feedOf([0n, 2n, 4n]);
  for await (const { offset } of feed.read(0, 0n)) if (offset === 2n) break;
  expect(await read(3n)).toEqual([4n]);
  expect(await read(0n)).toEqual([0n, 2n, 4n]);
  expect(begun).toEqual([0n, 3n, 0n]);
});
