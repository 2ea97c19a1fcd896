import { randomBytes } from 'node:crypto';
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import {
  SAMPLE_ERASED,
  TOPICS,
  auditEntry,
  encodeCustodyEvent,
  quarantineEntry,
} from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import { settlementsOf, someCustodyEvents } from '@residency/testkit';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openSqliteLog } from '../src/sqlite-log.ts';
import { collect, commitsOf, never, someLog, text } from './some-log.ts';
import type { SomeLog } from './some-log.ts';

const [A, B] = ['a'.repeat(64), 'b'.repeat(64)];
const ORDER = '3f0c2c51-9d0b-4c7e-8a25-6b1f0f1f9a10';

const POINTER = quarantineEntry({
  position: 'log-1/threat.samples/0/0',
  reason: 'IDENTITY_CONFLICT',
  detail: 'as the test asked',
  valueSha256: A,
  valueBytes: 8,
});

/** One intake record, and how it will be settled. `of`: an offset. */
interface Sent {
  readonly content: string;
  readonly id: string;
  readonly as: 'stored' | 'duplicate' | 'conflict' | 'erased' | 'refused';
  readonly of?: number;
  readonly region?: string;
}

let some: SomeLog;
let sent: Sent[];
beforeEach(async () => {
  some = await someLog();
  sent = [];
});
afterEach(async () => {
  await some.close();
});

const position = (offset: number): string => `${some.log.name}/${TOPICS.samples}/0/${offset}`;

async function send(...samples: readonly Sent[]): Promise<void> {
  sent.push(...samples);
  await some.log.append(
    samples.map(({ content, id }) => ({
      topic: TOPICS.samples,
      submission: id,
      record: text(content),
    })),
  );
}

async function settle(): Promise<void> {
  await some.log.submissionLog({ maxBatchRecords: 500 }).consume(
    (batch) =>
      Promise.resolve({
        settlements: settlementsOf(batch).map(({ event }) => {
          const settled = settledAs(event, sent[Number(event.position.offset)]);
          const pointer = settled.outcome === 'quarantined' ? { quarantine: POINTER } : {};
          return { event: settled, audit: auditEntry(settled), ...pointer };
        }),
      }),
    { until: 'end', signal: never() },
  );
}

function settledAs({ position: at, ...event }: AuditEvent, sample: Sent | undefined): AuditEvent {
  if (sample === undefined) throw new Error('Expected a record that this test sent.');
  const { id: submission, as, region = 'zurich' } = sample;
  const of = position(sample.of ?? 0);
  const common = { previous: event.data.previous, submission, consentId: 'consent-0001' };
  const shared = { ...common, sampleBytes: 8, verdict: 'malicious' as const };
  const judged = {
    ...shared,
    sampleSha256: submission,
    country: 'CH',
    termsVersion: '1',
    decision: { region, rule: 'r', policy: { id: 'p', version: 1, digest: A } },
  };
  const base = { position: at, at: event.at };
  switch (as) {
    case 'stored': {
      const object = { site: 'zrh-1', key: 'k', sealedSha256: A, sealedBytes: 9, wrappingKey: 'w' };
      return { ...base, outcome: 'stored', data: { ...judged, placements: [object] } };
    }
    case 'duplicate':
      return { ...base, outcome: 'duplicate', data: { ...judged, of } };
    case 'conflict': {
      const owner = { sampleSha256: B, country: 'CH' };
      const data = { ...judged, reason: 'IDENTITY_CONFLICT' as const, of, owner };
      return { ...base, outcome: 'quarantined', data };
    }
    case 'erased': {
      const data = { ...shared, reason: 'ERASED' as const, erasure: { order: ORDER, region } };
      return { ...base, outcome: 'refused', data };
    }
    case 'refused':
      return { ...base, outcome: 'refused', data: { ...shared, reason: 'CONSENT_UNKNOWN' } };
    default:
      return as satisfies never;
  }
}

/** The custodian's events that these samples are erased. */
async function erase(
  erased: readonly { readonly id: string; readonly of: string }[],
  region = 'zurich',
): Promise<void> {
  const custody = await some.log.custodyLog(region);
  const [sites, at] = [[{ site: 'zrh-1', sha256: A, versions: 0, setAside: 0, uploads: 0 }], 1_000];
  await custody.append(
    erased.map(({ id: submission, of }, sequence) =>
      encodeCustodyEvent({
        log: some.log.name,
        sequence,
        at,
        type: SAMPLE_ERASED,
        data: { previous: null, of, submission, region, order: ORDER, sites },
      }),
    ),
  );
}

const eraseFirst = (id = A): Promise<void> => erase([{ id, of: position(0) }]);

async function kept(): Promise<readonly string[]> {
  return (await collect(some.log.read(TOPICS.samples))).map(
    ({ value }) => value?.toString().slice(0, 20) ?? '',
  );
}

/** Whether the bytes stand in any file of the log's folder. */
async function onDisk(bytes: string): Promise<boolean> {
  const files = await Promise.all(
    (await readdir(some.folder)).map(async (name) => await readFile(join(some.folder, name))),
  );
  return files.some((content) => content.includes(bytes));
}

it('leaves not a byte of an erased sample in any file, small or large, and keeps all else', async () => {
  const large = `CANARY-LARGE${randomBytes(150_000).toString('hex')}CANARY-TAIL`;
  await send(
    { content: 'CANARY-SMALL', id: A, as: 'stored' },
    { content: 'a neighbour', id: B, as: 'stored' },
    { content: large, id: A, as: 'duplicate', of: 0 },
  );
  await settle();
  await send({ content: 'young', id: B, as: 'duplicate', of: 1 });
  expect(await some.log.dropErased()).toBe(0);
  await eraseFirst();
  const canaries = ['CANARY-SMALL', 'CANARY-LARGE', 'CANARY-TAIL'];
  for (const canary of canaries) expect(await onDisk(canary)).toBe(true);
  expect((await readdir(some.folder)).toSorted()).toEqual(['log.db', 'log.db-shm', 'log.db-wal']);
  expect(await some.log.dropErased()).toBe(2);
  for (const canary of canaries) expect(await onDisk(canary)).toBe(false);
  expect(await kept()).toEqual(['a neighbour', 'young']);
  expect(await some.log.dropErased()).toBe(0);
  expect([await some.log.committed(), await some.log.end(TOPICS.samples)]).toEqual([2n, 4n]);
  expect(await collect(some.log.auditRecords())).toHaveLength(3);
});

it('keeps another sample of the identity, the one that another region stores, and what was refused', async () => {
  await send(
    { content: 'the erased', id: A, as: 'stored' },
    { content: 'a conflict', id: A, as: 'conflict', of: 0 },
    { content: 'of another region', id: A, as: 'stored', region: 'oslo' },
    { content: 'sent to it again', id: A, as: 'duplicate', of: 2, region: 'oslo' },
    { content: 'no consent', id: A, as: 'refused' },
    { content: 'of the conflict', id: A, as: 'duplicate', of: 1 },
  );
  await settle();
  await eraseFirst();
  expect(await some.log.dropErased()).toBe(1);
  expect(await kept()).toEqual([
    'a conflict',
    'of another region',
    'sent to it again',
    'no consent',
    'of the conflict',
  ]);
  await erase([{ id: A, of: position(2) }], 'oslo');
  expect(await some.log.dropErased()).toBe(2);
});

it('drops duplicates of duplicates, whichever was settled first, and what was refused as erased before the event', async () => {
  await send(
    { content: 'stored', id: A, as: 'stored' },
    { content: 'names a later one', id: A, as: 'duplicate', of: 2 },
    { content: 'names the first', id: A, as: 'duplicate', of: 0 },
    { content: 'names itself', id: A, as: 'duplicate', of: 3 },
    { content: 'came too early', id: A, as: 'erased' },
  );
  await settle();
  await eraseFirst();
  expect(await some.log.dropErased()).toBe(4);
  expect(await kept()).toEqual(['names itself']);
});

it('drops what is sent again after the erasure once it is settled, in this process or the next', async () => {
  await send({ content: 'stored', id: A, as: 'stored' });
  await settle();
  await send({ content: 'CANARY-WAITING', id: A, as: 'duplicate', of: 0 });
  await eraseFirst();
  expect(await some.log.dropErased()).toBe(1);
  expect(await kept()).toEqual(['CANARY-WAITING']);
  await settle();
  expect(await some.log.dropErased()).toBe(1);
  await send(
    { content: 'CANARY-AGAIN', id: A, as: 'erased' },
    { content: 'another', id: B, as: 'refused' },
  );
  await settle();
  const next = await openSqliteLog({ file: some.file, now: () => Date.now() });
  expect(await next.dropErased()).toBe(1);
  await next.close();
  expect(await kept()).toEqual(['another']);
  expect([await onDisk('CANARY-WAITING'), await onDisk('CANARY-AGAIN')]).toEqual([false, false]);
});

it('deletes nothing for a position that is not settled, or of another log or topic', async () => {
  await send({ content: 'stored', id: A, as: 'stored' });
  await settle();
  await send({ content: 'waits', id: B, as: 'stored' });
  await erase([
    { id: A, of: `another/${TOPICS.samples}/0/0` },
    { id: A, of: `${some.log.name}/${TOPICS.audit}/0/0` },
    { id: A, of: `${some.log.name}/${TOPICS.samples}/0/999999999999999999` },
    { id: B, of: position(1) },
  ]);
  expect(await some.log.dropErased()).toBe(0);
  expect(await kept()).toEqual(['stored', 'waits']);
});

it('drops many redelivered records of one sample, a portion at a time', async () => {
  const again = { id: A, as: 'duplicate', of: 0 } as const;
  await send({ content: 'CANARY-MANY', id: A, as: 'stored' });
  await send(...Array.from({ length: 150 }, () => ({ content: 'CANARY-MANY', ...again })));
  await settle();
  await eraseFirst();
  await send(...Array.from({ length: 150 }, () => ({ content: 'CANARY-MANY', ...again })));
  expect(await some.log.dropErased()).toBe(151);
  await settle();
  expect(await some.log.dropErased()).toBe(150);
  expect(await onDisk('CANARY-MANY')).toBe(false);
});

it('passes over other events without a write, and a page of them', async () => {
  await send({ content: 'stored', id: A, as: 'stored' });
  await settle();
  await (await some.log.custodyLog('zurich')).append(someCustodyEvents(130));
  await eraseFirst();
  expect(await some.log.dropErased()).toBe(1);
  await send({ content: 'another', id: B, as: 'refused' });
  await settle();
  await (await some.log.custodyLog('oslo')).append(someCustodyEvents(3, { region: 'oslo' }));
  expect(await commitsOf(some.file, () => some.log.dropErased())).toBe(0);
});

it('does not read again what named no erased sample, and reads on from there once there is more', async () => {
  await send(
    { content: 'stored', id: A, as: 'stored' },
    { content: 'sent again', id: A, as: 'duplicate', of: 0 },
  );
  await settle();
  expect(await some.log.dropErased()).toBe(0);
  // A second reading of the same events would find this.
  const db = new DatabaseSync(some.file);
  db.prepare('INSERT INTO erased VALUES (0, ?)').run(A);
  db.close();
  expect(await some.log.dropErased()).toBe(0);
  await send({ content: 'another', id: B, as: 'stored' });
  await settle();
  expect(await some.log.dropErased()).toBe(1);
  expect(await kept()).toEqual(['stored', 'another']);
});

it('says so soon if another process keeps the write-ahead log, and ends its work after a restart', async () => {
  await send({ content: 'CANARY-KEPT', id: A, as: 'stored' });
  await settle();
  await eraseFirst();
  const reader = new DatabaseSync(some.file);
  reader.exec('BEGIN; SELECT count(*) FROM record');
  const began = performance.now();
  await expect(some.log.dropErased()).rejects.toMatchObject({ code: 'LOG_BUSY', remedy: 'retry' });
  // Meanwhile nobody could append. The log itself waits 10 s for other processes' transactions.
  expect(performance.now() - began).toBeLessThan(5_000);
  await send({ content: 'another', id: B, as: 'stored' });
  const next = await openSqliteLog({ file: some.file, now: () => Date.now() });
  await expect(next.dropErased()).rejects.toMatchObject({ code: 'LOG_BUSY' });
  expect(await onDisk('CANARY-KEPT')).toBe(true);
  reader.close();
  expect(await next.dropErased()).toBe(0);
  expect(await onDisk('CANARY-KEPT')).toBe(false);
  await next.close();
});

it('a start after ten thousand erasures reads none of them again', async () => {
  const count = 10_000;
  const ids = Array.from({ length: count }, (_, nth) => nth.toString(16).padStart(64, '0'));
  for (let from = 0; from < count; from += 500) {
    const part = ids.slice(from, from + 500);
    await send(...part.map((id) => ({ content: 'x', id, as: 'stored' }) as const));
    await settle();
  }
  await erase(ids.map((id, nth) => ({ id, of: position(nth) })));
  expect(await some.log.dropErased()).toBe(count);
  const db = new DatabaseSync(some.file);
  const end = await some.log.end('residency.custody.zurich');
  expect(
    db
      .prepare(
        "SELECT e.next, e.due FROM erasing e JOIN topic t ON t.id = e.topic WHERE t.name LIKE '%zurich'",
      )
      .get(),
  ).toEqual({ next: Number(end), due: 0 });
  db.close();
  expect(await some.log.dropErased()).toBe(0);
  expect(await kept()).toEqual([]);
});

it('follows the logs from their start in a log of schema version 3', async () => {
  await send({ content: 'stored', id: A, as: 'stored' });
  await settle();
  await eraseFirst();
  await some.log.close();
  const db = new DatabaseSync(some.file);
  db.exec('DROP TABLE erased; DROP TABLE erasing; PRAGMA user_version = 3');
  db.close();
  const next = await openSqliteLog({ file: some.file, now: () => Date.now() });
  expect(await next.dropErased()).toBe(1);
  await next.close();
});
