import { CodedError } from '@residency/coded-error';
import { formatPosition, sha256 } from '@residency/contracts';
import type {
  AuditEvent,
  LogRecord,
  NewRecord,
  Position,
  QuarantinePointer,
} from '@residency/contracts';
import { defined } from '@residency/defined';
import type { Batch, BatchResult, RouteBatch, SubmissionLog } from '@residency/routing';
import { expect } from 'vitest';
import { describeBehaviours } from './behaviours.ts';
import type { Behaviour } from './behaviours.ts';
import { eventually } from './eventually.ts';
import { QUARANTINE_ME, settlementsOf } from './test-settlement.ts';

/** An empty intake log with any number of partitions, and the visible results of its consumers. */
export interface SubmissionLogHarness {
  /** Appends to the intake topic. Returns positions in the given order once they are durable. */
  readonly publish: (records: readonly NewRecord[]) => Promise<readonly Position[]>;
  /** A consumer as a new process opens it; several may be open. */
  readonly openLog: () => Promise<SubmissionLog>;
  /** The events that a reader of the audit topic sees, in order within a partition. */
  readonly auditEvents: () => Promise<readonly AuditEvent[]>;
  readonly quarantinePointers: () => Promise<readonly QuarantinePointer[]>;
  /** The last settled offset by partition; absent: none is settled. */
  readonly committed: () => Promise<ReadonlyMap<number, bigint>>;
  readonly close: () => Promise<void>;
}

/** Settings with which the suite opens a harness's consumers. */
export interface SubmissionLogSettings {
  readonly maxBatchRecords: number;
  readonly maxBatchBytes: number;
}

const SETTINGS: SubmissionLogSettings = { maxBatchRecords: 7, maxBatchBytes: 4_096 };

const settleAll: RouteBatch = (batch) => Promise.resolve({ settlements: settlementsOf(batch) });

function record(text: string, size = 0): NewRecord {
  return {
    key: Buffer.from(`key-${text}`),
    headers: [['n', Buffer.from(text)]],
    value: Buffer.from(text.padEnd(size, '.')),
  };
}

function numbered(count: number): NewRecord[] {
  return Array.from({ length: count }, (_, index) => record(`record ${index}`));
}

async function toTheEnd(
  harness: SubmissionLogHarness,
  route: RouteBatch,
): ReturnType<SubmissionLog['consume']> {
  return await (
    await harness.openLog()
  ).consume(route, { until: 'end', signal: new AbortController().signal });
}

/**
 * Promise 1 of DESIGN §2: one event for each position, and in each partition a chain of `previous`
 * without hole or repeat.
 */
async function expectOneOutcomeEach(
  harness: SubmissionLogHarness,
  positions: readonly Position[],
): Promise<void> {
  const events = await harness.auditEvents();
  expect(events.map(({ position }) => formatPosition(position)).toSorted()).toEqual(
    positions.map(formatPosition).toSorted(),
  );
  const last = new Map<number, bigint>();
  for (const {
    position: { partition, offset },
    data: { previous },
  } of events) {
    expect(previous).toBe(last.get(partition)?.toString() ?? null);
    last.set(partition, offset);
  }
  expect(new Map(await harness.committed())).toEqual(last);
}

function blockAt(batch: Batch, count: number, retryAfterMs?: number): BatchResult {
  const offset = batch.records[count]?.offset ?? -1n;
  const error = new CodedError({
    code: 'SITE_DOWN',
    message: 'Expected a site that answers.',
    remedy: 'retry',
  });
  return {
    settlements: settlementsOf(batch, count),
    blocked: { offset, error, ...defined({ retryAfterMs }) },
  };
}

const HANDING_OVER: readonly Behaviour<SubmissionLogHarness>[] = [
  {
    name: 'returns at once from an empty log',
    async check(harness) {
      expect(await toTheEnd(harness, settleAll)).toBeUndefined();
      expect(await harness.auditEvents()).toEqual([]);
    },
  },
  {
    name: 'hands over records as they were published, byte for byte: key, repeated headers in order, value, tombstone',
    async check(harness) {
      const published: NewRecord[] = [
        { key: null, headers: [], value: null },
        {
          key: Buffer.alloc(0),
          headers: [
            ['a', Buffer.from([0xff, 0x00])],
            ['b', Buffer.alloc(0)],
            ['a', Buffer.from('2')],
          ],
          value: Buffer.alloc(0),
        },
        {
          key: Buffer.from([0x80]),
          headers: [['ünïcode', Buffer.from('x')]],
          value: Buffer.from([0, 255, 10]),
        },
      ];
      const positions = await harness.publish(published);
      const seen = new Map<string, LogRecord>();
      await toTheEnd(harness, (batch) => {
        for (const each of batch.records)
          seen.set(
            formatPosition({
              log: batch.log,
              topic: batch.topic,
              partition: batch.partition,
              offset: each.offset,
            }),
            each,
          );
        return settleAll(batch);
      });
      const found = positions.map((position) => seen.get(formatPosition(position)));
      expect(
        found.map((each) => each && { key: each.key, headers: each.headers, value: each.value }),
      ).toEqual(published);
    },
  },
  {
    name: 'hands over each partition in offset order, with append times that never decrease, each record once, within the limits of a batch',
    async check(harness) {
      const positions = await harness.publish(numbered(60));
      const last = new Map<number, LogRecord>();
      await toTheEnd(harness, (batch) => {
        expect(batch.records.length).toBeGreaterThan(0);
        expect(batch.records.length).toBeLessThanOrEqual(SETTINGS.maxBatchRecords);
        expect(batch.previous).toBe(last.get(batch.partition)?.offset ?? null);
        for (const each of batch.records) {
          expect(each.offset).toBeGreaterThan(last.get(batch.partition)?.offset ?? -1n);
          expect(each.at).toBeGreaterThanOrEqual(last.get(batch.partition)?.at ?? 0);
          last.set(batch.partition, each);
        }
        return settleAll(batch);
      });
      await expectOneOutcomeEach(harness, positions);
    },
  },
  {
    name: 'hands over a record larger than the limit of a batch alone, and the others within the limit',
    async check(harness) {
      const sizes = [
        100,
        3 * SETTINGS.maxBatchBytes,
        1_500,
        1_500,
        1_500,
        2 * SETTINGS.maxBatchBytes,
        50,
      ];
      const positions = await harness.publish(sizes.map((size, index) => record(`${index}`, size)));
      await toTheEnd(harness, (batch) => {
        const bytes = batch.records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0);
        expect(bytes <= SETTINGS.maxBatchBytes || batch.records.length === 1).toBe(true);
        return settleAll(batch);
      });
      await expectOneOutcomeEach(harness, positions);
    },
  },
  {
    name: 'hands over records that are published while it waits, until it is aborted',
    async check(harness) {
      const stop = new AbortController();
      const log = await harness.openLog();
      const consuming = log.consume(settleAll, { until: 'aborted', signal: stop.signal });
      const positions = [...(await harness.publish(numbered(3)))];
      await eventually(async () => ((await harness.auditEvents()).length === 3 ? true : undefined));
      positions.push(...(await harness.publish(numbered(10))));
      await eventually(async () =>
        (await harness.auditEvents()).length === 13 ? true : undefined,
      );
      stop.abort();
      expect(await consuming).toBeUndefined();
      await expectOneOutcomeEach(harness, positions);
    },
  },
];

const SETTLING: readonly Behaviour<SubmissionLogHarness>[] = [
  {
    name: "makes a quarantined record's event and pointer visible, and no pointer for others",
    async check(harness) {
      const positions = await harness.publish([
        record('good'),
        { key: null, headers: [], value: QUARANTINE_ME },
        record('good too'),
      ]);
      await toTheEnd(harness, settleAll);
      await expectOneOutcomeEach(harness, positions);
      const pointers = await harness.quarantinePointers();
      expect(pointers).toEqual([
        {
          position: positions[1] && formatPosition(positions[1]),
          reason: 'UNDECODABLE',
          detail: 'as the test asked',
          valueSha256: sha256(QUARANTINE_ME),
          valueBytes: QUARANTINE_ME.length,
        },
      ]);
    },
  },
  {
    name: 'settles the records before a block and returns the block; the next consumer gets the rest',
    async check(harness) {
      const positions = await harness.publish(numbered(5));
      let settled = 0;
      const blocked = await toTheEnd(harness, (batch) => {
        const result = blockAt(batch, batch.records.length - 1);
        settled = result.settlements.length;
        return Promise.resolve(result);
      });
      expect(blocked?.error.code).toBe('SITE_DOWN');
      expect((await harness.auditEvents()).length).toBeGreaterThanOrEqual(settled);
      expect((await harness.auditEvents()).length).toBeLessThan(5);
      await toTheEnd(harness, settleAll);
      await expectOneOutcomeEach(harness, positions);
    },
  },
  {
    name: 'waits at a blocked batch and hands it over again from the first record that is not settled',
    async check(harness) {
      const positions = await harness.publish(numbered(20));
      const stop = new AbortController();
      const blockedOnce = new Map<string, number>();
      const route: RouteBatch = (batch) => {
        const first = `${batch.partition}/${batch.records[0]?.offset}`;
        if (blockedOnce.has(first)) return settleAll(batch);
        blockedOnce.set(first, performance.now());
        return Promise.resolve(blockAt(batch, 0, 50));
      };
      const consuming = (await harness.openLog()).consume(route, {
        until: 'aborted',
        signal: stop.signal,
      });
      await eventually(async () =>
        (await harness.auditEvents()).length === 20 ? true : undefined,
      );
      stop.abort();
      await consuming;
      await expectOneOutcomeEach(harness, positions);
    },
  },
  {
    name: 'waits at least as long as a block requests',
    async check(harness) {
      await harness.publish([record('only')]);
      const times: number[] = [];
      const stop = new AbortController();
      await (
        await harness.openLog()
      ).consume(
        (batch) => {
          times.push(performance.now());
          if (times.length === 1) return Promise.resolve(blockAt(batch, 0, 700));
          stop.abort();
          return settleAll(batch);
        },
        { until: 'aborted', signal: stop.signal },
      );
      // Timers may fire up to a millisecond early.
      expect((times[1] ?? 0) - (times[0] ?? 0)).toBeGreaterThanOrEqual(699);
    },
  },
  {
    name: "rejects with the router's error, settles nothing of that batch, and hands it over to the next consumer",
    async check(harness) {
      const positions = await harness.publish(numbered(4));
      const defect = new Error('a person must look');
      await expect(toTheEnd(harness, () => Promise.reject(defect))).rejects.toBe(defect);
      expect(await harness.auditEvents()).toEqual([]);
      expect([...(await harness.committed())]).toEqual([]);
      await toTheEnd(harness, settleAll);
      await expectOneOutcomeEach(harness, positions);
    },
  },
  {
    name: 'ends soon after an abort, in the middle of a batch or of a wait, without loss or repetition',
    async check(harness) {
      const positions = await harness.publish(numbered(30));
      for (let round = 0; round < 3; round += 1) {
        const stop = new AbortController();
        const log = await harness.openLog();
        const began = performance.now();
        await log.consume(
          (batch) => {
            stop.abort();
            return Promise.resolve(
              round === 1
                ? blockAt(batch, batch.records.length - 1, 60_000)
                : { settlements: settlementsOf(batch) },
            );
          },
          { until: 'aborted', signal: stop.signal },
        );
        expect(performance.now() - began).toBeLessThan(20_000);
      }
      await toTheEnd(harness, settleAll);
      await expectOneOutcomeEach(harness, positions);
    },
  },
  {
    name: 'continues where the previous consumer stopped',
    async check(harness) {
      const before = await harness.publish(numbered(9));
      await toTheEnd(harness, settleAll);
      const after = await harness.publish(numbered(9));
      const handed: bigint[] = [];
      await toTheEnd(harness, (batch) => {
        handed.push(...batch.records.map(({ offset }) => offset));
        return settleAll(batch);
      });
      expect(handed).toHaveLength(9);
      await expectOneOutcomeEach(harness, [...before, ...after]);
    },
  },
];

/**
 * The contract of the `SubmissionLog` port. `open` returns a harness over a log that nobody else
 * uses, whose consumers have the given `settings`.
 */
export function describeSubmissionLog(
  adapter: string,
  open: (settings: SubmissionLogSettings) => Promise<SubmissionLogHarness>,
): void {
  describeBehaviours(adapter, 'SubmissionLog', [...HANDING_OVER, ...SETTLING], () =>
    open(SETTINGS),
  );
}
