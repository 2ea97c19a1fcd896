import { DatabaseSync } from 'node:sqlite';
import {
  TOPICS,
  decodeAuditEvent,
  encodeAuditEvent,
  sha256,
  auditEntry,
} from '@residency/contracts';
import type { AuditEvent } from '@residency/contracts';
import type { Batch, Settlement } from '@residency/routing';
import { settlementsOf } from '@residency/testkit';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AuditQuery } from '../src/auditing.ts';
import { collect, never, publishSamples, someLog } from './some-log.ts';
import type { SomeLog } from './some-log.ts';

const CONTENTS = ['a', 'quarantine me', 'stored c', 'a', 'stored e'];

let some: SomeLog;
let events: AuditEvent[] = [];
let clock = 0;
beforeEach(async () => {
  events = [];
  clock = 0;
  some = await someLog({ now: () => clock });
  for (const content of CONTENTS) {
    clock += 1_000;
    await publishSamples(some.log, [content]);
  }
  clock = 90_000;
  await some.log.submissionLog({ maxBatchRecords: 2 }).consume(
    (batch) => {
      const settlements = settlementsOf(batch).map((settlement, index) =>
        stored(batch, settlement, index),
      );
      events.push(...settlements.map(({ event }) => event));
      return Promise.resolve({ settlements });
    },
    { until: 'end', signal: never() },
  );
});
afterEach(async () => {
  await some.close();
});

function stored(batch: Batch, settlement: Settlement, index: number): Settlement {
  const content = batch.records[index]?.value?.toString() ?? '';
  if (!content.startsWith('stored') || settlement.event.outcome !== 'refused') return settlement;
  const {
    event: {
      position,
      at,
      data: { previous },
    },
  } = settlement;
  const policy = { id: 'p', version: 1, digest: sha256(Buffer.from('p')) };
  const key = `samples/${content}`;
  const event: AuditEvent = {
    position,
    at,
    outcome: 'stored',
    data: {
      previous,
      submission: sha256(Buffer.from(content)),
      sampleSha256: sha256(Buffer.from(content)),
      sampleBytes: 8,
      verdict: 'malicious',
      country: 'CH',
      consentId: 'consent-0001',
      termsVersion: '1',
      decision: { region: content.endsWith('e') ? 'moscow' : 'zurich', rule: 'r', policy },
      placements: [
        {
          site: 'zrh-1',
          key,
          sealedSha256: sha256(Buffer.from(key)),
          sealedBytes: 9,
          wrappingKey: 'k',
        },
      ],
    },
  };
  return { event, audit: auditEntry(event) };
}

describe('the look-up table', () => {
  it('agrees with the events as they were settled', async () => {
    expect(await collect(some.log.lookupDifferences())).toEqual([]);
  });

  it.each([
    'DELETE FROM audit WHERE "offset" = 2',
    'UPDATE audit SET outcome = \'refused\' WHERE "offset" = 2',
    'UPDATE audit SET region = \'moscow\' WHERE "offset" = 2',
    'UPDATE audit SET submission = NULL WHERE "offset" = 2',
    'UPDATE audit SET at = at + 1 WHERE "offset" = 2',
    'DELETE FROM record WHERE "offset" = 2 AND topic = (SELECT id FROM topic WHERE name = \'residency.audit\')',
  ])('differs after %s', async (sql) => {
    const db = new DatabaseSync(some.file);
    db.exec(sql);
    db.close();
    expect(await collect(some.log.lookupDifferences())).toEqual([
      { log: some.log.name, topic: TOPICS.audit, partition: 0, offset: 2n },
    ]);
  });
});

describe('audit records', () => {
  it('come back byte for byte as they were encoded, in order', async () => {
    expect((await collect(some.log.auditRecords())).map(String)).toEqual(
      events.map((event) => String(encodeAuditEvent(event))),
    );
  });

  it('carry the submission id as key, or the position where there is none, and their content type', async () => {
    const records = await collect(some.log.read(TOPICS.audit));
    expect(records.map(({ key }) => key?.toString())).toEqual(
      CONTENTS.map((content, index) =>
        index === 1 ? `${some.log.name}/threat.samples/0/1` : sha256(Buffer.from(content)),
      ),
    );
    expect(
      records.map(({ headers }) => headers.map(([name, value]) => `${name}: ${value.toString()}`)),
    ).toEqual(CONTENTS.map(() => ['content-type: application/cloudevents+json']));
  });

  const queries: [string, AuditQuery, number[]][] = [
    ['submission', { submission: sha256(Buffer.from('a')) }, [0, 3]],
    ['outcome', { outcome: 'quarantined' }, [1]],
    ['region', { region: 'moscow' }, [4]],
    ['time, its end excluded', { from: 2_000, to: 4_000 }, [1, 2]],
    ['time and outcome', { from: 3_000, outcome: 'stored' }, [2, 4]],
    ['what nobody has', { submission: 'none' }, []],
  ];
  it.each(queries)('are found by %s', async (_, query, offsets) => {
    const found = (await collect(some.log.auditRecords(query))).map((bytes) =>
      Number(decodeAuditEvent(bytes).position.offset),
    );
    expect(found).toEqual(offsets);
  });
});

async function publish(submission: string): Promise<void> {
  await some.log.append([
    {
      topic: TOPICS.samples,
      record: { key: null, headers: [], value: Buffer.from('later') },
      submission,
    },
  ]);
}

describe("a submission's status", () => {
  it('is unknown, then pending, then settled with its events', async () => {
    const submission = sha256(Buffer.from('later'));
    expect(await some.log.findSubmission(submission)).toEqual({ state: 'unknown' });
    await publish(submission);
    expect(await some.log.findSubmission(submission)).toEqual({ state: 'pending' });
    await some.log
      .submissionLog()
      .consume((batch) => Promise.resolve({ settlements: settlementsOf(batch) }), {
        until: 'end',
        signal: never(),
      });
    const status = await some.log.findSubmission(submission);
    expect(
      status.state === 'settled' &&
        status.events.map((bytes) => decodeAuditEvent(bytes).data.submission),
    ).toEqual([submission]);
  });

  it('stays settled while the same submission waits once more', async () => {
    const submission = sha256(Buffer.from('a'));
    await publish(submission);
    expect(await some.log.findSubmission(submission)).toMatchObject({
      state: 'settled',
      events: [expect.anything(), expect.anything()],
    });
  });
});
