import { QUARANTINE_CLOSED, TOPICS, controlEntry } from '@residency/contracts';
import type { QuarantineNow } from '@residency/telemetry';
import { beforeEach, expect, test } from 'vitest';
import { QuarantineReader } from '../src/quarantine-reader.ts';
import { MemoryLog } from './memory-log.ts';
import { SALT } from '@residency/testkit';

let log: MemoryLog;
let reader: QuarantineReader;
let told: QuarantineNow | undefined;

beforeEach(() => {
  log = new MemoryLog();
  told = undefined;
  reader = new QuarantineReader({ log, marginMs: 5 });
});

async function waiting(): Promise<Readonly<Record<string, number>>> {
  told = await reader.read(new AbortController().signal);
  return {
    ...Object.fromEntries([...(told?.byReason ?? [])].filter(([, count]) => count > 0)),
    ...(told?.expired === 0 ? {} : { expired: told?.expired ?? -1 }),
  };
}

test('quarantined records enter, what is sent through again leaves, whatever becomes of it', async () => {
  const [one, other] = [
    log.settle(0, 100, { reason: 'COUNTRY_UNKNOWN' }),
    log.settle(1, 101, { reason: 'TOO_LARGE' }),
  ];
  log.settle(0, 102);
  expect(await waiting()).toEqual({ COUNTRY_UNKNOWN: 1, TOO_LARGE: 1 });
  expect(told?.oldestAt).toBe(100);
  log.settle(0, 103, { redriveOf: one });
  expect(await waiting()).toEqual({ TOO_LARGE: 1 });
  log.settle(1, 104, { reason: 'TOO_LARGE', redriveOf: other });
  expect(await waiting()).toEqual({ TOO_LARGE: 1 });
  expect(told?.oldestAt).toBe(104);
});

test('what was sent through again into another partition is gone, though that one is read first', async () => {
  const one = log.settle(0, 100, { reason: 'COUNTRY_UNKNOWN' });
  log.settle(1, 200, { redriveOf: one });
  log.order = [1, 0];
  expect(await waiting()).toEqual({});
});

test('what a person closed waits no more and does not expire, before its event is read or after', async () => {
  const one = log.settle(0, 100, { reason: 'COUNTRY_UNKNOWN' });
  log.settle(0, 101, { reason: 'COUNTRY_UNKNOWN' });
  const close = (position: string): void => {
    const { record } = controlEntry(
      { type: QUARANTINE_CLOSED, data: { position, reason: 'sent again' } },
      position,
      SALT,
    );
    log.append(TOPICS.control, 0, 102, record.value ?? Buffer.alloc(0), record.headers);
  };
  expect(await waiting()).toEqual({ COUNTRY_UNKNOWN: 2 });
  log.append(TOPICS.control, 0, 101);
  close(one);
  close('other/threat.samples/0/1');
  expect(await waiting()).toEqual({ COUNTRY_UNKNOWN: 1 });
  close('log-1/threat.samples/1/0');
  log.settle(1, 103, { reason: 'TOO_LARGE' });
  expect(await waiting()).toEqual({ COUNTRY_UNKNOWN: 1 });
  log.trim(TOPICS.samples, 0, 1n);
  expect(await waiting()).toEqual({ COUNTRY_UNKNOWN: 1 });
});

test('a reading that broke is gone on with where it ended', async () => {
  for (let at = 100; at < 110; at += 1) log.settle(at % 2, at, { reason: 'COUNTRY_UNKNOWN' });
  log.breaksAfter = 7;
  await expect(reader.read(new AbortController().signal)).rejects.toMatchObject({
    code: 'KAFKA_UNREACHABLE',
  });
  expect(told).toBeUndefined();
  expect(await waiting()).toEqual({ COUNTRY_UNKNOWN: 10 });
  expect(await waiting()).toEqual({ COUNTRY_UNKNOWN: 10 });
  expect(log.begun).toEqual([
    [0n, 0n],
    [5n, 2n],
    [5n, 5n],
  ]);
});

test('begins with the oldest record that the intake log holds, less what clocks may differ by', async () => {
  for (let at = 100; at < 200; at += 10) log.settle(0, at, { reason: 'COUNTRY_UNKNOWN' });
  log.trim(TOPICS.samples, 0, 7n);
  expect(await waiting()).toEqual({ COUNTRY_UNKNOWN: 3 });
  // Appended at 166 or later: events of the record of 170, at 171.
  expect(log.begun).toEqual([[7n, 0n]]);
});

test('where the intake log holds nothing, begins with what comes', async () => {
  log.settle(0, 100, { reason: 'COUNTRY_UNKNOWN' });
  log.trim(TOPICS.samples, 0, 1n);
  expect(await waiting()).toEqual({});
  log.settle(0, 200, { reason: 'EMPTY_SAMPLE' });
  expect(await waiting()).toEqual({ EMPTY_SAMPLE: 1 });
  expect(log.begun).toEqual([
    [1n, 0n],
    [1n, 0n],
  ]);
});

test('what the intake log drops is counted as expired, unless it was sent through again', async () => {
  const one = log.settle(0, 100, { reason: 'COUNTRY_UNKNOWN' });
  log.settle(0, 101, { reason: 'COUNTRY_UNKNOWN' });
  log.settle(0, 102, { reason: 'COUNTRY_UNKNOWN', redriveOf: one });
  expect(await waiting()).toEqual({ COUNTRY_UNKNOWN: 2 });
  log.trim(TOPICS.samples, 0, 2n);
  expect(await waiting()).toEqual({ COUNTRY_UNKNOWN: 1, expired: 1 });
  log.trim(TOPICS.samples, 0, 3n);
  expect(await waiting()).toEqual({ expired: 2 });
});

test('where the audit log does not reach any more, begins anew and keeps the count of what expired', async () => {
  log.settle(0, 100, { reason: 'COUNTRY_UNKNOWN' });
  log.settle(0, 101, { reason: 'COUNTRY_UNKNOWN' });
  await waiting();
  log.trim(TOPICS.samples, 0, 1n);
  expect(await waiting()).toEqual({ COUNTRY_UNKNOWN: 1, expired: 1 });
  log.settle(0, 102, { reason: 'TOO_LARGE' });
  log.trim(TOPICS.audit, 0, 3n);
  log.settle(0, 103, { reason: 'EMPTY_SAMPLE' });
  expect(await waiting()).toEqual({ EMPTY_SAMPLE: 1, expired: 1 });
});

test('what is no audit event of this log and partition is passed over, and so is a redrive of another log', async () => {
  log.settle(0, 100, { reason: 'COUNTRY_UNKNOWN' });
  const foreign = 'log-2/threat.samples/0/0';
  log.settle(0, 101, { redriveOf: foreign });
  log.settle(0, 101, { redriveOf: 'log-1/residency.audit/0/0' });
  for (const value of [
    '',
    'residency.sample.quarantined.v1',
    '{"data":{"redriveOf":"log-1/threat.samples/0/0"}}',
  ])
    log.append(TOPICS.audit, 0, 102, Buffer.from(value));
  const other = new MemoryLog();
  other.settle(1, 103, { reason: 'TOO_LARGE' });
  for await (const [record] of other.readBatches(TOPICS.audit, {
    from: new Map([
      [0, 0n],
      [1, 0n],
    ]),
    until: 'end',
  }))
    log.append(TOPICS.audit, 0, 104, record?.value ?? undefined);
  expect(await waiting()).toEqual({ COUNTRY_UNKNOWN: 1 });
});
