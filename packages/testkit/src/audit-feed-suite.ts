import type { AuditFeed, AuditFeedRecord } from '@residency/custodianship';
import { expect } from 'vitest';
import { describeBehaviours } from './behaviours.ts';
import type { Behaviour } from './behaviours.ts';

/** A new, empty audit log. */
export interface AuditFeedHarness {
  /** As it was made, ascending, at least one. */
  readonly partitions: readonly number[];
  readonly open: () => Promise<AuditFeed>;
  readonly append: (partition: number, values: readonly (Buffer | null)[]) => Promise<void>;
  /** Begins to settle events, and does not complete it. */
  readonly appendInVain: (partition: number, values: readonly Buffer[]) => Promise<void>;
  readonly close: () => Promise<void>;
}

function texts(from: number, to: number, of = 0): Buffer[] {
  return Array.from({ length: to - from }, (_, index) =>
    Buffer.from(`event ${from + index} of ${of}`),
  );
}

async function recordsOf(feed: AuditFeed, partition = 0, from = 0n): Promise<AuditFeedRecord[]> {
  return await Array.fromAsync(feed.read(partition, from));
}

const values = (records: readonly AuditFeedRecord[]): (Buffer | null)[] =>
  records.map(({ value }) => value);

const BEHAVIOURS: readonly Behaviour<AuditFeedHarness>[] = [
  {
    name: 'names the partitions, also the empty ones',
    async check({ open, partitions }) {
      const feed = await open();
      expect(await feed.partitions()).toEqual(partitions);
      for (const partition of partitions) expect(await recordsOf(feed, partition)).toEqual([]);
    },
  },
  {
    name: 'reads all records, byte for byte, at offsets that strictly increase',
    async check({ open, append }) {
      const all = texts(0, 1_300);
      await append(0, all.slice(0, 700));
      await append(0, all.slice(700));
      const records = await recordsOf(await open());
      expect(values(records)).toEqual(all);
      expect(
        records.every(
          ({ offset }, index) => index === 0 || offset > (records[index - 1]?.offset ?? 0n),
        ),
      ).toBe(true);
    },
  },
  {
    name: 'reads from an offset on, from the one behind the last record too',
    async check({ open, append }) {
      await append(0, texts(0, 20));
      const feed = await open();
      const all = await recordsOf(feed);
      const from = all[12]?.offset ?? -1n;
      expect(await recordsOf(feed, 0, from)).toEqual(all.slice(12));
      expect(await recordsOf(feed, 0, from + 1n)).toEqual(all.slice(13));
      const end = (all.at(-1)?.offset ?? -1n) + 1n;
      expect(await recordsOf(feed, 0, end)).toEqual([]);
      await append(0, texts(20, 22));
      expect(values(await recordsOf(feed, 0, end))).toEqual(texts(20, 22));
    },
  },
  {
    name: 'reads each partition by itself',
    async check({ open, append, partitions }) {
      for (const partition of partitions) await append(partition, texts(0, 3, partition));
      const feed = await open();
      for (const partition of partitions)
        expect(values(await recordsOf(feed, partition))).toEqual(texts(0, 3, partition));
    },
  },
  {
    name: 'reads only what is settled',
    async check({ open, append, appendInVain }) {
      await append(0, texts(0, 2));
      await appendInVain(0, texts(7, 9));
      await append(0, texts(2, 4));
      await appendInVain(0, texts(9, 11));
      expect(values(await recordsOf(await open()))).toEqual(texts(0, 4));
    },
  },
  {
    name: 'passes on a record without a value, and one that is no event',
    async check({ open, append }) {
      const all = [...texts(0, 1), null, Buffer.alloc(0), ...texts(1, 2)];
      await append(0, all);
      expect(values(await recordsOf(await open()))).toEqual(all);
    },
  },
  {
    name: 'ends at the end at the call',
    async check({ open, append }) {
      await append(0, texts(0, 3));
      const feed = await open();
      const found: AuditFeedRecord[] = [];
      for await (const record of feed.read(0, 0n)) {
        if (found.length === 0) await append(0, texts(3, 5));
        found.push(record);
      }
      expect(values(found)).toEqual(texts(0, 3));
    },
  },
  {
    name: 'may be abandoned in the middle',
    async check({ open, append }) {
      await append(0, texts(0, 1_300));
      const feed = await open();
      for await (const { value } of feed.read(0, 0n)) {
        expect(value).toEqual(texts(0, 1)[0]);
        break;
      }
      expect(await recordsOf(feed)).toHaveLength(1_300);
    },
  },
];

/** The contract of the `AuditFeed` port; every adapter runs it unchanged. */
export function describeAuditFeed(adapter: string, open: () => Promise<AuditFeedHarness>): void {
  describeBehaviours(adapter, 'AuditFeed', BEHAVIOURS, open);
}
