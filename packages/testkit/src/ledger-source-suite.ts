import type { AuditRecord, LedgerSource } from '@residency/auditing';
import { TOPICS } from '@residency/contracts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

/** A new, empty audit log with partition 0. */
export interface LedgerSourceHarness {
  open(): LedgerSource;
  /** Appends to partition 0. */
  append(values: readonly (Buffer | null)[]): Promise<void>;
  close(): Promise<void>;
}

const first = (): boolean => true;
const values = (records: readonly AuditRecord[]): (string | null)[] =>
  records.map(({ value }) => value && value.toString());
const text = (nth: number): Buffer => Buffer.from(`event ${nth}`);

/** The contract of the `LedgerSource` port; every adapter runs it unchanged. */
export function describeLedgerSource(
  adapter: string,
  openHarness: () => Promise<LedgerSourceHarness>,
): void {
  describe(`${adapter} as a LedgerSource`, () => {
    let harness: LedgerSourceHarness;
    let stop: AbortController;
    beforeEach(async () => {
      harness = await openHarness();
      stop = new AbortController();
    });
    afterEach(async () => {
      stop.abort();
      await harness.close();
    });

    /** Reads until an empty batch at which `enough` returns true. */
    async function follow(
      start: { leaf: number; since: number },
      enough: (seen: readonly AuditRecord[], empty: number) => boolean,
    ): Promise<AuditRecord[]> {
      const seen: AuditRecord[] = [];
      let empty = 0;
      for await (const records of harness.open().follow(start, stop.signal)) {
        seen.push(...records);
        if (records.length === 0 && enough(seen, (empty += 1))) break;
      }
      return seen;
    }

    test('names its log, topic and partition', () => {
      expect(harness.open()).toMatchObject({
        log: expect.stringMatching(/^[A-Za-z0-9._-]{1,64}$/),
        of: { topic: TOPICS.audit, partition: 0 },
      });
    });

    test('returns all existing records before its first empty batch, byte for byte and in order', async () => {
      const all = Array.from({ length: 1_300 }, (_, nth) => text(nth));
      await harness.append(all);
      const seen = await follow({ leaf: 0, since: 0 }, first);
      expect(values(seen)).toEqual(
        values(all.map((value) => ({ partition: 0, offset: 0n, value }))),
      );
      expect(seen.every(({ partition }) => partition === 0)).toBe(true);
      expect(
        seen.every(({ offset }, at) => at === 0 || offset > (seen[at - 1]?.offset ?? 0n)),
      ).toBe(true);
    });

    test('returns an empty batch at once if there are no records, and again from time to time', async () => {
      expect(await follow({ leaf: 0, since: 0 }, (_, empty) => empty === 3)).toEqual([]);
    });

    test('continues with records that are appended later, each once', async () => {
      await harness.append([text(0), text(1)]);
      let appended = 2;
      const seen = await follow({ leaf: 0, since: 0 }, ({ length }) => {
        if (length < appended) return false;
        if (appended === 6) return true;
        void harness.append([text(appended), text(appended + 1)]);
        appended += 2;
        return false;
      });
      expect(values(seen)).toEqual(Array.from({ length: 6 }, (_, nth) => text(nth).toString()));
    });

    test('begins at the requested leaf or before it, and skips none behind it', async () => {
      await harness.append(Array.from({ length: 20 }, (_, nth) => text(nth)));
      // Every record was appended after time 1, so every log can answer this.
      const seen = values(await follow({ leaf: 12, since: 1 }, first));
      expect(seen.slice(seen.indexOf('event 12'))).toEqual(
        Array.from({ length: 8 }, (_, nth) => text(12 + nth).toString()),
      );
    });

    test('returns a record without a value as such', async () => {
      await harness.append([text(0), null, text(2)]);
      expect(values(await follow({ leaf: 0, since: 0 }, first))).toEqual([
        'event 0',
        null,
        'event 2',
      ]);
    });

    test('ends when its signal is aborted, also while it waits', async () => {
      let empty = 0;
      for await (const records of harness.open().follow({ leaf: 0, since: 0 }, stop.signal))
        if (records.length === 0 && (empty += 1) === 2) stop.abort();
      expect(empty).toBeGreaterThanOrEqual(2);
    });

    test('may be abandoned in the middle', async () => {
      await harness.append(Array.from({ length: 1_300 }, (_, nth) => text(nth)));
      for await (const records of harness.open().follow({ leaf: 0, since: 0 }, stop.signal))
        if (records.length > 0) break;
      expect(await follow({ leaf: 0, since: 0 }, first)).toHaveLength(1_300);
    });
  });
}
