import { createHash } from 'node:crypto';
import { encodeAuditEvent } from '@residency/contracts';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { AuditRecord } from '../src/audit-record.ts';
import { ConsentTotals } from '../src/replaying/consent-totals.ts';
import type { ConsentRow } from '../src/replaying/consent-totals.ts';
import { ReplayDigest } from '../src/replaying/replay-digest.ts';
import { replay } from '../src/replaying/replay.ts';
import { BACK_AND_FORTH, STEADY, altered, history, recordsOf, streamed } from './history.ts';
import type { History } from './history.ts';
import { MemoryScratch } from './memory-scratch.ts';

let past: History;
let records: readonly AuditRecord[];
beforeAll(async () => {
  past = await history();
  records = recordsOf(past.events);
});

/** As the document says it, in three lines of its own. */
function digestByHand(partitions: readonly (readonly Buffer[])[]): string {
  const lines = partitions.map((events, partition) => {
    const bytes = Buffer.concat(
      events.flatMap((event) => [
        Buffer.from([0, 0, event.length >> 8, event.length & 0xff]),
        event,
      ]),
    );
    return events.length === 0
      ? ''
      : `residency.audit/${partition} ${events.length} ${createHash('sha256').update(bytes).digest('hex')}\n`;
  });
  return createHash('sha256').update(lines.join('')).digest('hex');
}

describe('the digest', () => {
  const partitions = fc.array(
    fc.array(
      fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
      { maxLength: 8 },
    ),
    { maxLength: 12 },
  );

  it('is that of the document, however the partitions are interleaved', () => {
    fc.assert(
      fc.property(partitions, fc.infiniteStream(fc.nat()), (events, choices) => {
        const digest = new ReplayDigest();
        const left = events.map((list) => [...list]);
        for (
          let open = left.filter(({ length }) => length > 0);
          open.length > 0;
          open = left.filter(({ length }) => length > 0)
        ) {
          const chosen = open[(choices.next().value as number) % open.length] ?? [];
          digest.add(left.indexOf(chosen), chosen.shift() ?? Buffer.alloc(0));
        }
        expect(digest.digest()).toBe(digestByHand(events));
      }),
    );
  });

  it('is another where events change their order, their bytes, their number or their partition', () => {
    const of = (...events: readonly (readonly [number, string])[]): string => {
      const digest = new ReplayDigest();
      for (const [partition, text] of events) digest.add(partition, Buffer.from(text));
      return digest.digest();
    };
    const digests = [
      of([0, 'a'], [0, 'b']),
      of([0, 'b'], [0, 'a']),
      of([0, 'ab']),
      of([0, 'a']),
      of([0, 'a'], [0, 'b'], [0, 'b']),
      of([0, 'a'], [1, 'b']),
      of([1, 'a'], [0, 'b']),
      of([10, 'a'], [9, 'b']),
      of(),
    ];
    expect(new Set(digests).size).toBe(digests.length);
  });
});

describe('a replay', () => {
  it('counts every event in every view, and finds an honest log without a fault', async () => {
    const {
      faults,
      events,
      byRegion,
      byCountry,
      byPolicy,
      byOutcome,
      digest,
      partitions,
      first,
      last,
    } = await replay(streamed(records));
    expect(faults).toEqual({ total: 0, list: [] });
    expect(events).toBe(past.events.length);
    for (const view of [byRegion, byCountry, byPolicy, byOutcome])
      expect(view.reduce((sum, row) => sum + row.events, 0)).toBe(events);
    expect(digest).toBe(digestByHand([past.events.map((event) => encodeAuditEvent(event))]));
    expect(partitions).toMatchObject([{ partition: 0, events }]);
    expect([first, last]).toEqual([0, 30_001]);
    const zurich = past.events.flatMap(({ outcome, data }) =>
      outcome === 'stored' && data.decision.region === 'zurich' ? [data.sampleBytes] : [],
    );
    expect(byRegion.find(({ region }) => region === 'zurich')).toMatchObject({
      stored: zurich.length,
      storedBytes: zurich.reduce((a, b) => a + b, 0),
    });
    expect(byRegion.map(({ region }) => region)).toEqual([null, 'moscow', 'zurich']);
    expect(byPolicy.map(({ policy }) => policy?.replace(/[0-9a-f]{64}$/, ''))).toEqual([
      undefined,
      'test/1/',
      'test/2/',
      'test/3/',
      'test/4/',
    ]);
    expect(byOutcome.find(({ reason }) => reason === 'CONSENT_PURPOSE')).toMatchObject({
      outcome: 'refused',
      storedBytes: 0,
    });
  });

  it('counts a period by T, and nothing before or behind it', async () => {
    const within = past.events.filter(({ at }) => at >= 10_000 && at < 20_000);
    const { events, digest, faults } = await replay(streamed(records), {
      from: 10_000,
      to: 20_000,
    });
    expect([events, digest, faults.total]).toEqual([
      within.length,
      digestByHand([within.map((event) => encodeAuditEvent(event))]),
      0,
    ]);
  });

  it('counts by consent without holding them all', async () => {
    const consents = new ConsentTotals(new MemoryScratch());
    await replay(streamed(records), { consents });
    const rows: ConsentRow[] = [];
    for await (const part of consents.rows()) rows.push(...part.rows);
    expect(rows.map(({ consentId }) => consentId).toSorted()).toEqual(
      [BACK_AND_FORTH, 'consent-never-given', STEADY].toSorted(),
    );
    for (const row of rows) {
      const own = past.events.filter(({ data }) => data.consentId === row.consentId);
      expect(row).toMatchObject({
        events: own.length,
        refused: own.filter(({ outcome }) => outcome === 'refused').length,
        first: own[0]?.at,
        last: own.at(-1)?.at,
      });
    }
  });

  it.each([
    ['a dropped event', (all: AuditRecord[]) => all.toSpliced(7, 1), [['HOLE', 8]]],
    [
      'a repeated event',
      (all: AuditRecord[]) => all.toSpliced(7, 0, ...all.slice(7, 8)),
      [['REPEAT', 7]],
    ],
    [
      'two events in another order',
      (all: AuditRecord[]) => all.toSpliced(7, 2, ...all.slice(7, 9).toReversed()),
      [
        ['HOLE', 8],
        ['REPEAT', 7],
      ],
    ],
    [
      'an event in another partition',
      (all: AuditRecord[]) =>
        all.map((record, index) => (index === 7 ? { ...record, partition: 1 } : record)),
      [['MISPLACED', 7]],
    ],
  ] as const)('names %s by position', async (_, change, expected) => {
    const { faults } = await replay(streamed(change([...records])));
    expect(
      faults.list.map(({ code, position }) => [code, Number(position.split('/').at(-1))]),
    ).toEqual(expected);
  });

  it('names a record that is not an event, for any period, and includes it in the digest of the whole log', async () => {
    const broken = { partition: 3, offset: 77n, value: Buffer.from('{"specversion":"1.0"}') };
    const whole = await replay(streamed([...records, broken]));
    expect(whole.faults.list).toEqual([{ code: 'UNDECODABLE', position: 'residency.audit/3/77' }]);
    expect(whole.digest).not.toBe((await replay(streamed(records))).digest);
    const period = await replay(streamed([...records, broken]), { from: 0, to: 99_999 });
    expect([period.faults.total, period.digest]).toEqual([
      1,
      (await replay(streamed(records))).digest,
    ]);
  });

  it('holds no more rows than a log can honestly have, and counts the rest together', async () => {
    const stored = past.events.find(({ outcome }) => outcome === 'stored');
    if (stored === undefined) throw new Error('Expected a stored event.');
    async function* many(): AsyncGenerator<AuditRecord> {
      for (let index = 0; index < 10_005; index += 1)
        yield {
          partition: 0,
          offset: BigInt(index),
          value: encodeAuditEvent(
            altered(stored as never, /"region":"[^"]*"/, `"region":"r-${index}"`),
          ),
        };
    }
    const { byRegion } = await replay(many(), { maxListed: 0 });
    expect(byRegion).toHaveLength(10_001);
    expect(byRegion.find(({ region }) => region === '(others)')).toMatchObject({ events: 5 });
  });
});
