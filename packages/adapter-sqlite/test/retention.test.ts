import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { TOPICS } from '@residency/contracts';
import type { LogEntry } from '@residency/contracts';
import { settlementsOf } from '@residency/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { collect, never, publishSamples, someLog } from './some-log.ts';
import type { SomeLog } from './some-log.ts';

let clock = 1_000;
let some: SomeLog;
beforeEach(async () => {
  clock = 1_000;
  some = await someLog({ now: () => clock });
});
afterEach(async () => {
  await some.close();
});

async function settle(maxBatchRecords: number, batches: number): Promise<void> {
  const stop = new AbortController();
  let handed = 0;
  await some.log.submissionLog({ maxBatchRecords }).consume(
    (batch) => {
      handed += 1;
      if (handed === batches) stop.abort();
      return Promise.resolve({ settlements: settlementsOf(batch) });
    },
    { until: 'aborted', signal: stop.signal },
  );
}

async function kept(): Promise<string[]> {
  return (await collect(some.log.read(TOPICS.samples))).map(
    ({ value }) => value?.toString().slice(0, 5) ?? '',
  );
}

/** Whether the bytes stand in any file of the log's folder. */
async function onDisk(bytes: string): Promise<boolean> {
  const files = await Promise.all(
    (await readdir(some.folder)).map(async (name) => await readFile(join(some.folder, name))),
  );
  return files.some((content) => content.includes(bytes));
}

describe('retention', () => {
  it('drops what is settled and old, and neither what is unsettled nor what is young', async () => {
    await publishSamples(some.log, ['one 1', 'two 2', 'three', 'four4']);
    expect(await some.log.dropExpired(9_000)).toBe(0);
    await settle(2, 1);
    expect(await some.log.dropExpired(1_000)).toBe(0);
    expect(await some.log.dropExpired(9_000)).toBe(2);
    expect(await kept()).toEqual(['three', 'four4']);
    expect(await some.log.dropExpired(9_000)).toBe(0);
  });

  it('counts from settlement: a record that waited long is kept as long as any other', async () => {
    await publishSamples(some.log, ['1', '2', '3', '4', '5']);
    for (const at of [20_000, 30_000, 40_000]) {
      clock = at;
      await settle(at === 40_000 ? 1 : 2, 1);
    }
    expect(await some.log.dropExpired(20_000)).toBe(0);
    expect(await some.log.dropExpired(20_001)).toBe(2);
    expect(await kept()).toEqual(['3', '4', '5']);
    expect(await some.log.dropExpired(40_000)).toBe(2);
    expect(await some.log.dropExpired(40_001)).toBe(1);
  });

  it('leaves not a byte of a dropped payload in any file, small or large, and readAt finds nothing', async () => {
    const [small, large] = [
      'MARKER-OF-A-SMALL-SAMPLE',
      `MARKER-OF-A-LARGE-ONE${'.'.repeat(300_000)}END-OF-A-LARGE-ONE`,
    ];
    await publishSamples(some.log, [small, large]);
    expect(await onDisk('MARKER-OF-A-SMALL')).toBe(true);
    await settle(2, 1);
    await some.log.dropExpired(5_000);
    for (const marker of ['MARKER-OF-A-SMALL', 'MARKER-OF-A-LARGE', 'END-OF-A-LARGE'])
      expect(await onDisk(marker)).toBe(false);
    expect(
      await some.log.readAt({
        log: some.log.name,
        topic: TOPICS.samples,
        partition: 0,
        offset: 0n,
      }),
    ).toBeUndefined();
  });

  it('keeps offsets, progress, audit events and pointers', async () => {
    await publishSamples(some.log, ['one', 'quarantine me', 'three']);
    await settle(3, 1);
    await some.log.dropExpired(5_000);
    expect(await kept()).toEqual([]);
    expect([await some.log.committed(), await some.log.end(TOPICS.samples)]).toEqual([2n, 3n]);
    expect([
      (await collect(some.log.auditRecords())).length,
      (await collect(some.log.quarantine())).length,
    ]).toEqual([3, 1]);
    await publishSamples(some.log, ['four']);
    await some.log.submissionLog().consume(
      (batch) => {
        expect([batch.previous, batch.records.map(({ offset }) => offset)]).toEqual([2n, [3n]]);
        return Promise.resolve({ settlements: settlementsOf(batch) });
      },
      { until: 'end', signal: never() },
    );
    expect(await some.log.committed()).toBe(3n);
  });

  it('drops many records, a portion at a time', async () => {
    await publishSamples(
      some.log,
      Array.from({ length: 500 }, (_, index) => `${index}`),
    );
    await settle(500, 1);
    expect(await some.log.dropExpired(5_000)).toBe(500);
  });

  it('drops the links of a consent to a subject, and leaves not a byte of them', async () => {
    const link = (consent: string, content: string): LogEntry => ({
      topic: TOPICS.subjects,
      record: { key: Buffer.from(consent), headers: [], value: Buffer.from(content) },
    });
    await some.log.append([
      link('consent-0001', 'LINK-ONE'),
      link('consent-0002', 'LINK-TWO'),
      link('consent-0001', 'LINK-ONE-AGAIN'),
    ]);
    expect(await some.log.dropLinks(['consent-0001', 'consent-0003'])).toBe(2);
    expect(await some.log.dropLinks(['consent-0001'])).toBe(0);
    expect([await onDisk('LINK-ONE'), await onDisk('LINK-TWO')]).toEqual([false, true]);
  });
});
