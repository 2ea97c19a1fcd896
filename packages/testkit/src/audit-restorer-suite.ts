import { leafOf } from '@residency/auditing';
import type { AuditRestorer, RestoredEntry } from '@residency/auditing';
import { TOPICS, encodeAuditEvent } from '@residency/contracts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { someAuditEvent } from './audit-log.ts';

/** A new log with an empty audit partition 0. */
export interface AuditRestorerHarness {
  /** As a process that just started has it, with the right that it needs, or rejects. */
  open(): Promise<AuditRestorer>;
  /** Appends intake records to partition 0. */
  publish(count: number): Promise<void>;
  /** The offset behind the last settled intake record, as a router reads it; `null`: none is. */
  next(): Promise<bigint | null>;
  close(): Promise<void>;
}

const entry = (nth: number): RestoredEntry => {
  const event = someAuditEvent(nth);
  return { event, value: encodeAuditEvent(event) };
};

async function leaves(restorer: AuditRestorer): Promise<Buffer[]> {
  const found: Buffer[] = [];
  for await (const records of restorer.records())
    found.push(...records.map(({ value }) => Buffer.from(leafOf(value))));
  return found;
}

/** The contract of the `AuditRestorer` port; every adapter runs it unchanged. */
export function describeAuditRestorer(
  adapter: string,
  openHarness: () => Promise<AuditRestorerHarness>,
): void {
  describe(`${adapter} as an AuditRestorer`, () => {
    let harness: AuditRestorerHarness;
    beforeEach(async () => {
      harness = await openHarness();
    });
    afterEach(async () => {
      await harness.close();
    });

    test('names its log and partition', async () => {
      expect(await harness.open()).toMatchObject({
        log: expect.stringMatching(/^[A-Za-z0-9._-]{1,64}$/),
        of: { topic: TOPICS.audit, partition: 0 },
      });
    });

    test('of an empty log has no records', async () => {
      expect(await leaves(await harness.open())).toEqual([]);
      expect(await harness.next()).toBeNull();
    });

    test('appends entries byte for byte and in order, and routing goes on behind them', async () => {
      await harness.publish(20);
      const restorer = await harness.open();
      const entries = Array.from({ length: 12 }, (_, nth) => entry(nth));
      await restorer.append(entries.slice(0, 5), 5n);
      expect(await leaves(restorer)).toEqual(entries.slice(0, 5).map(({ value }) => value));
      await restorer.append(entries.slice(5), 12n);
      expect(await leaves(restorer)).toEqual(entries.map(({ value }) => value));
      expect(await harness.next()).toBe(12n);
    });

    test('appends what is no event, also alone', async () => {
      await harness.publish(3);
      const restorer = await harness.open();
      const odd = { value: Buffer.from('no event') };
      await restorer.append([odd], null);
      expect(await harness.next()).toBeNull();
      await restorer.append([entry(0), { value: Buffer.alloc(0) }], 1n);
      expect(await leaves(restorer)).toEqual([odd.value, entry(0).value, Buffer.alloc(0)]);
      expect(await harness.next()).toBe(1n);
    });

    test('says where the intake log ends, or moves its end behind what entries are about', async () => {
      await harness.publish(2);
      const restorer = await harness.open();
      const end = await restorer.intakeEnd();
      const last = end === undefined ? 7 : 1;
      await restorer.append([entry(0), entry(last)], BigInt(last) + 1n);
      await harness.publish(1);
      expect([end ?? 2n, await harness.next()]).toEqual([2n, BigInt(last) + 1n]);
    });

    test('commits a position without entries, also one before the last', async () => {
      await harness.publish(20);
      const restorer = await harness.open();
      await restorer.append([entry(0), entry(1), entry(2)], 9n);
      expect(await restorer.committed()).toBe(9n);
      await restorer.append([], 3n);
      expect(await harness.next()).toBe(3n);
      expect(await leaves(restorer)).toHaveLength(3);
    });

    test('of two, only one can append', async () => {
      await harness.publish(3);
      const both = [
        await harness.open().catch(() => undefined),
        await harness.open().catch(() => undefined),
      ].filter((restorer) => restorer !== undefined);
      const outcomes = await Promise.all(
        both.map(
          async (restorer) =>
            await restorer.append([entry(0)], 1n).then(
              () => 'appended',
              () => 'refused',
            ),
        ),
      );
      expect(outcomes.filter((outcome) => outcome === 'appended')).toHaveLength(1);
      expect(await Promise.all(both.map(leaves))).toEqual(both.map(() => [entry(0).value]));
    });
  });
}
